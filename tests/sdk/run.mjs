// Runs tasks with the OpenAI SDK for Node: a list of {name, call, url} on stdin, a line of {name, saw} each on stdout.
//
// All run at once in this process. What a task saw is data; judging it is the business of the test that started us.

import { readFileSync, writeSync } from "node:fs";

import { CALLS as calls } from "./calls.mjs";
import { CALLS as cells } from "./cells.mjs";
import { describe } from "./client.mjs";
import { CALLS as modes } from "./modes.mjs";
import { CALLS as surfaces } from "./surfaces.mjs";

const CALLS = { ...calls, ...cells, ...modes, ...surfaces };

// A task starts when the one before has ended, or after so long: a crowd at the start would look like a slow mock.
const HEAD_START = 20;
// The absolute limit of a task that sets none of its own.
const TASK_MAX = 20_000;
// The absolute limit of all of them.
const ALL_MAX = 120_000;

/** Waits in a way that keeps the program alive, unlike a socket on which nothing comes. */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function run(task) {
  const late = sleep(TASK_MAX).then(() => ({ raised: "nothing in time" }));
  const saw = await Promise.race([CALLS[task.call](task), late]).catch((error) => ({ raised: describe(error) }));
  writeSync(1, `${JSON.stringify({ name: task.name, saw })}\n`);
}

setTimeout(() => process.exit(1), ALL_MAX);
const running = [];
for (const task of JSON.parse(readFileSync(0, "utf8"))) {
  running.push(run(task));
  // The first loads half of the SDK; nobody else's time should run meanwhile.
  await (running.length === 1 ? running[0] : Promise.race([running.at(-1), sleep(HEAD_START)]));
}
await Promise.all(running);
// Connections that still hang must not hold the end up.
process.exit(0);
