// The Responses format by the same SDK.

import { client } from "./client.mjs";

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

export const CALLS = { responses };
