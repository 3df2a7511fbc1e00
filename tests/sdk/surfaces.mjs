// The other surfaces of the API by the same SDK: Responses and files.

import { OpenAI, client } from "./client.mjs";

const ASKED = { model: "deepseek-flash", input: "Hello?" };

async function responses(task) {
  const openai = client(task);
  const answer = await openai.responses.create(ASKED);
  const events = [];
  for await (const event of await openai.responses.create({ ...ASKED, stream: true })) events.push(event);
  const deltas = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
  const whole = events.at(-1).response.output.flatMap((item) => item.content ?? []);
  return {
    object: answer.object,
    status: answer.status,
    text: answer.output_text,
    bill: answer.usage.total_tokens === answer.usage.input_tokens + answer.usage.output_tokens,
    ends: [events[0].type, events.at(-1).type],
    counted: events.every((event, place) => event.sequence_number === place),
    streamed: deltas.join(""),
    whole: whole.map(({ text }) => text ?? "").join(""),
  };
}

const TOOL = {
  type: "function",
  name: "find_week",
  description: "Finds the week of a day.",
  parameters: { type: "object", properties: { day: { type: "integer" } }, required: ["day"] },
  strict: false,
};

/** What a response is made of: thinking, texts and calls. */
function items({ output }) {
  const text = ({ content }) => content.map((part) => part.text).join("");
  const call = (item) => [item.name, JSON.parse(item.arguments)];
  return output.map((item) => [item.type, item.type === "function_call" ? call(item) : text(item)]);
}

/** Whole, by the helper that puts a stream together, and once more with the result of the call. */
async function tools_of_responses(task) {
  const openai = client(task);
  const asked = { ...ASKED, tools: [TOOL] };
  const whole = await openai.responses.create(asked);
  const streamed = await openai.responses.stream(asked).finalResponse();
  const result = { type: "function_call_output", call_id: whole.output.at(-1).call_id, output: "12" };
  const history = [{ role: "user", content: ASKED.input }, ...whole.output, result];
  const last = await openai.responses.create({ ...asked, input: history });
  return { whole: items(whole), streamed: items(streamed), last: items(last) };
}

async function responses_refused(task) {
  const error = await client(task)
    .responses.create({ ...ASKED, model: "gpt-9" })
    .catch((error) => error);
  return [error.constructor.name, error.status, error.type];
}

async function files(task) {
  const { files } = client(task);
  const file = await OpenAI.toFile(Buffer.from("ten kicks"), "kicks.txt");
  const stored = await files.create({ file, purpose: "user_data" });
  const listed = [];
  for await (const { id } of files.list()) listed.push(id);
  const found = await files.retrieve(stored.id);
  const gone = await files.delete(stored.id);
  const missing = await files.retrieve(stored.id).catch((error) => error);
  return {
    stored: [stored.object, stored.filename, stored.bytes, stored.purpose],
    listed: listed.length === 1 && listed[0] === stored.id,
    found: JSON.stringify(found) === JSON.stringify(stored),
    gone: gone.deleted,
    missing: missing.status,
  };
}

export const CALLS = { responses, tools_of_responses, responses_refused, files };
