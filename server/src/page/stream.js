// A client of `chat.v1`: keeps one connection, takes up the stream where it was, and never shows anything twice.
//
// What it needs: `ticket()`, which returns a one-time ticket for the socket, and `on`, an object of functions by frame
// type, beside `line(state)` (`open`, `lost`, `over`) and `lost()`, when what was missed cannot be told any more.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
// Codes of this range tell a client not to come back: something is wrong that waiting does not mend.
const FINAL_CODES = [4500, 4999];

export class Stream {
  #socket = null;
  #seen = { epoch: null, offset: null };
  #pause = FIRST_PAUSE_MS;
  #timer = 0;
  #isOver = false;
  // Messages that no acknowledgement came for: they are sent again, and taken once.
  #unsettled = new Map();

  constructor({ ticket, on }) {
    this.ticket = ticket;
    this.on = on;
    addEventListener("online", () => this.open());
    addEventListener("offline", () => this.#socket?.close?.());
  }

  async open() {
    clearTimeout(this.#timer);
    if (this.#isOver || this.#socket) return;
    this.#socket = {}; // Nobody opens a second one while the ticket is fetched.
    try {
      const ticket = await this.ticket();
      const url = new URL("/ws/chat", location.href);
      url.protocol = url.protocol.replace("http", "ws");
      const socket = new WebSocket(url, ["chat.v1", `ticket.${ticket}`]);
      this.#socket = socket;
      socket.onopen = () => this.#send({ type: "resume", ...this.#place() });
      socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
      socket.onclose = ({ code }) => this.#closed(code);
    } catch (problem) {
      this.#closed(problem.status === 401 ? FINAL_CODES[0] : 1006);
    }
  }

  close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.close?.();
  }

  /** Says something, in the place of a message whose answer failed if one is named; returns the id by which its
   *  acknowledgement and its end come. */
  say(content, replaces) {
    const client_msg_id = crypto.randomUUID();
    const frame = { type: "send", client_msg_id, content, replaces };
    this.#unsettled.set(client_msg_id, frame);
    this.#send(frame);
    return client_msg_id;
  }

  stop(message_id) {
    this.#send({ type: "stop", message_id });
  }

  #place() {
    const { epoch, offset } = this.#seen;
    return epoch === null ? {} : { epoch, offset };
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #take(frame) {
    if (frame.type === "welcome") this.#welcomed(frame);
    if (frame.type === "ack" || frame.type === "error") this.#unsettled.delete(frame.client_msg_id);
    if (frame.type !== "welcome" && frame.offset !== undefined) this.#seen.offset = frame.offset;
    this.on[frame.type]?.(frame);
  }

  #welcomed({ epoch, offset, recovered }) {
    const isNew = this.#seen.epoch === null;
    this.#pause = FIRST_PAUSE_MS;
    if (!recovered) {
      this.#seen = { epoch, offset };
      if (!isNew) this.on.lost();
    }
    this.on.line("open");
    for (const frame of this.#unsettled.values()) this.#send(frame);
  }

  #closed(code) {
    this.#socket = null;
    if (this.#isOver) return;
    if (code >= FINAL_CODES[0] && code <= FINAL_CODES[1]) {
      this.#isOver = true;
      this.on.line("over");
      return;
    }
    this.on.line("lost");
    // Half of it by chance: after a restart of the server not everybody comes at once.
    this.#timer = setTimeout(() => this.open(), this.#pause * (0.5 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }
}
