// How the tests make clients, and how they name what these raise.

import { createRequire } from "node:module";

// The SDK lies in a folder of its own, not beside this file.
export const { default: OpenAI } = createRequire(`${process.env.SDK_FOLDER}/`)("openai");

// The limit that users set, as in the table. It ends when the head has come.
export const TIMEOUT = 2000;

/** Makes a client for a task. Each task has an origin of its own, so none meets the connections of another. */
export function client(task, settings = {}) {
  const { path = "", key = "sk-test-of-the-sdks", retries = 0, timeout = TIMEOUT, ...more } = settings;
  const baseURL = task.url + path;
  return new OpenAI({ baseURL, apiKey: key, timeout, maxRetries: retries, logLevel: "off", ...more });
}

/** Names the class of an error. What caused it is left out: a reset is told in several ways, by chance. */
export const describe = (error) => error.constructor.name;
