// The conversation on the page: one list item for each message, found again by its id.

import { word } from "./words.js";

const list = document.getElementById("talk");
const alarm = document.getElementById("alarm");
const answers = new Map();
const own = new Map();
const shown = new Map();

function item(role, kind, text) {
  const li = document.createElement("li");
  li.dataset.role = role;
  if (kind) li.dataset.kind = kind;
  const body = document.createElement("span");
  body.textContent = text;
  li.append(body);
  list.append(li);
  li.scrollIntoView({ block: "end" });
  return li;
}

function note(li, text) {
  const small = document.createElement("small");
  small.textContent = text;
  li.append(small);
}

export function clear() {
  list.replaceChildren();
  answers.clear();
  own.clear();
  shown.clear();
}

/** Shows what the history holds. */
export function remember(messages) {
  for (const { id, role, kind, content, replaced_by } of messages) {
    if (replaced_by) continue;
    const li = item(role, kind, content);
    shown.set(id, li);
    if (kind === "interrupted") note(li, word("interrupted"));
  }
}

/** Shows a message of this device, before the server knows of it. */
export function saying(id, text) {
  const li = item("user", null, text);
  li.dataset.state = "sending";
  note(li, word("sending"));
  own.set(id, li);
}

/** Shows a whole message; one of this device is on the page already. What it replaces goes. */
export function message({ message_id, client_msg_id, role, kind, text, replaces = [] }) {
  for (const id of replaces) shown.get(id)?.remove();
  const li = own.get(client_msg_id) ?? item(role, kind, text);
  shown.set(message_id, li);
  delete li.dataset.state;
  li.querySelector("small")?.remove();
}

/** Takes a message back that the server did not take. */
export function refused({ client_msg_id, text }) {
  const li = own.get(client_msg_id);
  const said = li?.firstChild.textContent;
  li?.remove();
  own.delete(client_msg_id);
  notice(text);
  return said;
}

function answer(id) {
  let li = answers.get(id);
  if (!li) {
    li = item("assistant", "answer", "");
    li.dataset.state = "running";
    answers.set(id, li);
    shown.set(id, li);
  }
  return li;
}

/** Adds a piece of an answer; what is there already is not added twice. */
export function chunk({ message_id, index, text }) {
  const li = answer(message_id);
  const body = li.firstChild;
  const known = [...body.textContent];
  body.textContent = known.slice(0, index).join("") + text;
  li.scrollIntoView({ block: "end" });
}

export function snapshot({ message_id, text }) {
  answer(message_id).firstChild.textContent = text;
}

/** Ends an answer; `again` is called when the user wants another one. */
export function done({ message_id, finish_reason, degraded, action }, again) {
  const li = answers.get(message_id) ?? list.lastElementChild;
  answers.delete(message_id);
  if (!li) return;
  delete li.dataset.state;
  if (finish_reason === "interrupted" || finish_reason === "stopped") note(li, word("interrupted"));
  else if (degraded) note(li, word("degraded"));
  if (degraded && action === "retry" && again) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = word("retry");
    button.onclick = () => { button.remove(); again(); };
    li.append(button);
  }
}

export function notice(text) {
  item("server", "notice", text);
}

export function safety({ text }) {
  alarm.hidden = false;
  alarm.textContent = text;
}

export function calm() {
  alarm.hidden = true;
}
