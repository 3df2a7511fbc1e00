// The modes of the API that need more than a question: tools, JSON, log probabilities, gaps and prefixes.

import { OpenAI, client } from "./client.mjs";

const USER = { role: "user", content: "Which week am I in? Answer in json." };

function tool(name, parameter) {
  const parameters = { type: "object", properties: { [parameter]: { type: "integer" } }, required: [parameter] };
  return { type: "function", function: { name, description: name, parameters } };
}

const TOOLS = [tool("find_week", "day"), tool("count_kicks", "hours")];

const asked = (more) => ({ model: "deepseek-flash", messages: [USER], ...more });

const called = (calls) =>
  calls.map((call) => [call.id.slice(0, 8), call.type, call.function.name, JSON.parse(call.function.arguments)]);

async function tools(task) {
  const choice = (await client(task).chat.completions.create(asked({ tools: TOOLS }))).choices[0];
  return { finish: choice.finish_reason, calls: called(choice.message.tool_calls) };
}

/** By the SDK's own accumulator, and by hand: how many pieces the arguments of the first call have. */
async function tools_in_a_stream(task) {
  const stream = client(task).chat.completions.stream(asked({ tools: TOOLS }));
  let pieces = 0;
  for await (const chunk of stream) {
    for (const call of chunk.choices[0].delta.tool_calls ?? []) {
      if (call.index === 0 && call.function.arguments) pieces += 1;
    }
  }
  const choice = (await stream.finalChatCompletion()).choices[0];
  return { finish: choice.finish_reason, calls: called(choice.message.tool_calls), "in pieces": pieces > 1 };
}

async function strict_tools(task) {
  const { function: loose } = tool("find_week", "day");
  const parameters = { ...loose.parameters, additionalProperties: false };
  const body = asked({ tools: [{ type: "function", function: { ...loose, parameters, strict: true } }] });
  const choice = (await client(task, { path: "/beta" }).chat.completions.stream(body).finalChatCompletion()).choices[0];
  return { finish: choice.finish_reason, calls: called(choice.message.tool_calls) };
}

/** Calls the tools, and asks again with what they returned. The thinking has to be passed back. */
async function a_round_of_tools(task) {
  const openai = client(task);
  const first = (await openai.chat.completions.create(asked({ tools: TOOLS }))).choices[0].message;
  const results = first.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "12" }));
  const messages = [USER, first, ...results];
  const last = (await openai.chat.completions.create({ model: "deepseek-flash", messages, tools: TOOLS })).choices[0];
  const { reasoning_content: _, ...forgetful } = first;
  const forgotten = await openai.chat.completions
    .create({ model: "deepseek-flash", messages: [USER, forgetful, ...results], tools: TOOLS })
    .then(() => null, (error) => error instanceof OpenAI.BadRequestError && /must be passed back/.test(error.message));
  return { "forgotten thinking is refused": forgotten, text: last.message.content, finish: last.finish_reason };
}

async function json_mode(task) {
  const body = asked({ response_format: { type: "json_object" } });
  return JSON.parse((await client(task).chat.completions.create(body)).choices[0].message.content);
}

const weighed = (tokens) => ({
  text: tokens.map(({ token }) => token).join(""),
  "all below zero": tokens.every(({ logprob }) => logprob <= 0),
  alternatives: [...new Set(tokens.map((token) => token.top_logprobs.length))].sort(),
  bytes: Buffer.from(tokens.flatMap(({ bytes }) => bytes)).toString(),
});

async function log_probabilities(task) {
  const body = asked({ logprobs: true, top_logprobs: 2 });
  const single = (await client(task).chat.completions.create(body)).choices[0].logprobs.content;
  const streamed = [];
  for await (const chunk of await client(task).chat.completions.create({ ...body, stream: true })) {
    streamed.push(...(chunk.choices[0].logprobs?.content ?? []));
  }
  return { single: weighed(single), streamed: weighed(streamed) };
}

const GAP = { model: "deepseek-flash", prompt: "def week(day):", suffix: "    return week" };

async function a_gap(task) {
  const openai = client(task, { path: "/beta" });
  const answer = await openai.completions.create(GAP);
  let streamed = "";
  for await (const { choices } of await openai.completions.create({ ...GAP, stream: true })) {
    streamed += choices[0]?.text ?? "";
  }
  const { text, finish_reason: finish } = answer.choices[0];
  return { object: answer.object, text, finish, streamed };
}

async function a_prefix(task) {
  const prefix = { role: "assistant", content: "Week ", prefix: true };
  const body = { model: "deepseek-flash", messages: [USER, prefix] };
  return (await client(task, { path: "/beta" }).chat.completions.create(body)).choices[0].message.content;
}

export const CALLS = {
  tools,
  tools_in_a_stream,
  strict_tools,
  a_round_of_tools,
  json_mode,
  log_probabilities,
  a_gap,
  a_prefix,
};
