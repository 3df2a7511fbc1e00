// One fault, one form of reply: what a careful user of the SDK is left with, in a few words.
//
// Careful: the code below trusts no type of the SDK. Where the SDK hands on what its types exclude, it says so.

import { client, describe } from "./client.mjs";

// The absolute limit: well over the client's time-out, so whoever is still waiting was not stopped by it.
const LIMIT = 5000;

// How long a connection rests between two requests, so that it is back among those to be used again.
const IDLE = 200;

const QUESTION = { model: "deepseek-flash", messages: [{ role: "user", content: "Hello?" }] };

/** What has arrived so far. */
class Reply {
  thinks = false;
  text = "";
  role = null;
  finish = null;
  tools = new Map();
  oddities = new Set();

  constructor(whole) {
    this.whole = whole;
  }

  /** Returns the choices of a chunk or a reply, whatever they are. */
  choices(holder) {
    if (holder === null || holder === undefined) this.oddities.add("null");
    else if (!Array.isArray(holder.choices)) this.oddities.add("null choices");
    else return holder.choices;
    return [];
  }

  take(choice, part, isWhole = false) {
    this.finish = choice.finish_reason ?? this.finish;
    if (part === null || part === undefined) return this.oddities.add("a null delta");
    this.role = part.role ?? this.role;
    this.thinks ||= Boolean(part.reasoning_content);
    if (typeof part.content === "string") this.text += part.content;
    else if (part.content !== null && part.content !== undefined) this.oddities.add("content that is no text");
    (part.tool_calls ?? []).forEach((call, place) => this.tool(isWhole ? place : call.index, call));
  }

  tool(index, call) {
    if (index === undefined) this.oddities.add("a call without an index");
    const soFar = this.tools.get(index) ?? { name: "", arguments: "" };
    soFar.name += call.function?.name ?? "";
    soFar.arguments += call.function?.arguments ?? "";
    this.tools.set(index, soFar);
  }

  verdict() {
    const parts = [this.amount(), this.ending()];
    parts.push(...[...this.tools.values()].map((tool) => `calls ${tool.name}(${tool.arguments})`));
    if (this.text && !this.role) parts.push("no role");
    parts.push(...[...this.oddities].map((what) => `hands on ${what}`));
    const words = parts.filter(Boolean).join(", ");
    return words === "the whole text" ? "ok" : words;
  }

  amount() {
    if (this.text === this.whole) return "the whole text";
    if (!this.text.trim()) return this.text ? "blank text" : "no text";
    if (this.whole.startsWith(this.text)) return "part of the text";
    return contains(this.text, this.whole) ? "the text and more" : "another text";
  }

  ending() {
    if (this.finish === "stop") return null;
    return this.finish === null ? "no finish" : `finish \`${this.finish}\``;
  }

  soFar() {
    return this.text ? " after text" : this.thinks ? " after thinking" : "";
  }
}

/** Says whether the characters of the whole text come in order in the text. */
function contains(text, whole) {
  const left = [...whole];
  for (const character of text) if (character === left[0]) left.shift();
  return left.length === 0;
}

async function stream(openai, reply, signal) {
  for await (const chunk of await openai.chat.completions.create({ ...QUESTION, stream: true }, { signal })) {
    for (const choice of reply.choices(chunk)) reply.take(choice, choice.delta);
  }
  return reply.verdict();
}

async function single(openai, reply, signal) {
  const answer = await openai.chat.completions.create(QUESTION, { signal });
  if (typeof answer === "string") return "returns a string";
  for (const choice of reply.choices(answer)) reply.take(choice, choice.message, true);
  return reply.verdict();
}

const bounded = (read) => async (task) => {
  const reply = new Reply(task.text);
  const limit = new AbortController();
  const late = new Promise((resolve) => {
    setTimeout(() => {
      resolve(`hangs${reply.soFar()}`);
      limit.abort();
    }, LIMIT);
  });
  const defaultHeaders = task.arguments.closing ? { connection: "close" } : {};
  const openai = client(task, { defaultHeaders });
  const first = async () => {
    await read(openai, new Reply(task.text), limit.signal);
    await new Promise((resolve) => setTimeout(resolve, IDLE));
  };
  const before = task.arguments.twice ? first() : Promise.resolve();
  const result = before.then(() => read(openai, reply, limit.signal));
  return Promise.race([result, late]).catch((error) => `raises ${describe(error)}${reply.soFar()}`);
};

export const CALLS = { stream: bounded(stream), single: bounded(single) };
