// What users of the API do, each in a few lines: the calls of the SDK, and what came back as plain data.

import { OpenAI, client } from "./client.mjs";

// How long somebody waits who does not want to wait for an hour.
const PATIENCE = 4000;
// What DeepSeek puts at the end of a message, since autumn 2026.
const ID = / \(request_id: [0-9a-f-]{36}\)$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const question = (more = {}) => ({
  model: "deepseek-flash",
  messages: [{ role: "user", content: "Hello?" }],
  ...more,
});

const create = (task, body) => client(task).chat.completions.create(body);

async function collect(task, more = {}) {
  const seen = [];
  for await (const chunk of await create(task, question({ stream: true, ...more }))) seen.push(chunk);
  return seen;
}

async function chat(task) {
  const answer = await create(task, question());
  const choice = answer.choices[0];
  return {
    "bare uuid": UUID.test(answer.id),
    object: answer.object,
    model: answer.model,
    fingerprint: answer.system_fingerprint.slice(0, 3),
    role: choice.message.role,
    text: choice.message.content,
    reasoning: choice.message.reasoning_content ?? null,
    finish: choice.finish_reason,
  };
}

async function chunks(task) {
  const seen = await collect(task);
  const deltas = seen.map((chunk) => chunk.choices[0].delta);
  return {
    ids: new Set(seen.map((chunk) => chunk.id)).size,
    object: seen[0].object,
    first: [deltas[0].role, deltas[0].content],
    text: deltas.map((delta) => delta.content ?? "").join(""),
    finishes: seen.slice(-2).map((chunk) => chunk.choices[0].finish_reason),
    streamed: seen.length > 5,
  };
}

const bill = (usage) => ({
  "prompt adds up": usage.prompt_tokens === usage.prompt_cache_hit_tokens + usage.prompt_cache_miss_tokens,
  "total adds up": usage.total_tokens === usage.prompt_tokens + usage.completion_tokens,
  cached: usage.prompt_tokens_details.cached_tokens === usage.prompt_cache_hit_tokens,
  completion: usage.completion_tokens,
  reasoning: usage.completion_tokens_details?.reasoning_tokens ?? null,
});

const usage = async (task) => bill((await create(task, question())).usage);

async function usage_of_a_stream(task) {
  const seen = {};
  for (const [name, more] of [["asked", { stream_options: { include_usage: true } }], ["not asked", {}]]) {
    const others = await collect(task, more);
    const last = others.pop();
    seen[name] = {
      bill: bill(last.usage),
      "with the finish": last.choices[0].finish_reason,
      elsewhere: others.some((chunk) => chunk.usage),
      "null elsewhere": others.every((chunk) => "usage" in chunk),
    };
  }
  return seen;
}

async function thinking(task) {
  const { message } = (await create(task, question(task.arguments.body))).choices[0];
  return { reasoning: message.reasoning_content, text: message.content };
}

async function thinking_in_a_stream(task) {
  const order = [];
  let [reasoning, text] = ["", ""];
  for (const { choices } of await collect(task)) {
    const { delta } = choices[0];
    const kind = delta.content ? "text" : delta.reasoning_content ? "reasoning" : null;
    if (kind && kind !== order.at(-1)) order.push(kind);
    reasoning += delta.reasoning_content ?? "";
    text += delta.content ?? "";
  }
  return { order, reasoning, text };
}

async function thinking_by_request(task) {
  const seen = {};
  for (const kind of ["enabled", "disabled"]) {
    const answer = await create(task, question({ thinking: { type: kind } }));
    seen[kind] = Boolean(answer.choices[0].message.reasoning_content);
  }
  return seen;
}

async function budget(task) {
  const answer = await create(task, question({ max_tokens: 3 }));
  return { finish: answer.choices[0].finish_reason, completion: answer.usage.completion_tokens };
}

async function models(task) {
  const listed = [];
  for await (const model of client(task).models.list()) listed.push([model.id, model.object, model.owned_by]);
  return listed;
}

const balance = (task) => client(task).get("/user/balance");

/** The same question by each base URL that the documentation allows. */
async function bases(task) {
  const objects = [];
  for (const path of ["", "/v1", "/beta"]) {
    objects.push((await client(task, { path }).chat.completions.create(question())).object);
  }
  return objects;
}

/** Asks as the arguments of the task say, and tells the answer or the error. */
async function ask(task, retries = 0) {
  const { key, timeout, headers, body } = task.arguments;
  const milliseconds = timeout === undefined ? undefined : timeout * 1000;
  const asker = client(task, { key, timeout: milliseconds, retries, defaultHeaders: headers });
  try {
    return (await asker.chat.completions.create(question(body))).choices[0].message.content;
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const kind = error.constructor.name;
    if (error.status === undefined) return [kind];
    // Where the body is no JSON, the SDK puts it behind the status.
    const message = error.error?.message ?? error.message.replace(`${error.status} `, "");
    return [kind, error.status, error.type ?? null, message.replace(ID, "").trim()];
  }
}

/** Asks with as many retries as the SDK has by default. */
const ask_again = (task) => ask(task, null);

const ask_for_a_while = (task) =>
  Promise.race([ask_again(task), new Promise((resolve) => setTimeout(resolve, PATIENCE, "still waiting"))]);

export const CALLS = {
  chat,
  chunks,
  usage,
  usage_of_a_stream,
  thinking,
  thinking_in_a_stream,
  thinking_by_request,
  budget,
  models,
  balance,
  bases,
  ask,
  ask_again,
  ask_for_a_while,
};
