// The page: a door to log in at, and a room to talk in.

import { account, call, enter, history, leave, ticket } from "./account.js";
import * as consents from "./consents.js";
import * as offers from "./offers.js";
import { Stream } from "./stream.js";
import * as talk from "./talk.js";
import { speak, word } from "./words.js";

const $ = (id) => document.getElementById(id);
let stream = null;
let running = null;
const said = new Map();
// The ids that the server gave to messages of this device.
const stored = new Map();

function line(state) {
  $("line").dataset.state = state;
  $("line").textContent = word(state);
}

function say(text, replaces) {
  talk.calm();
  const id = stream.say(text, replaces);
  said.set(id, text);
  talk.saying(id, text);
}

const on = {
  line,
  lost: reload,
  ack: ({ client_msg_id, message_id, reply_id }) => {
    stored.set(client_msg_id, message_id);
    answering(reply_id ?? running);
  },
  message: talk.message,
  chunk: (frame) => { answering(frame.message_id); talk.chunk(frame); },
  snapshot: (frame) => { answering(frame.message_id); talk.snapshot(frame); },
  safety: talk.safety,
  calendar: offers.offer,
  suggestion: offers.decided,
  language: ({ language }) => spoken(language),
  session: ({ state }) => { if (state === "deleted") reload(); },
  notice: ({ text }) => talk.notice(text),
  error: (frame) => {
    const text = talk.refused(frame);
    if (text && !$("text").value) $("text").value = text;
  },
  done: (frame) => {
    answering(null);
    const text = said.get(frame.client_msg_id);
    talk.done(frame, text && (() => say(text, stored.get(frame.client_msg_id))));
    // The device that asked is where the user is; the others do not move.
    if (frame.action === "consent" && text) unanswered(text);
  },
};

/** Puts back what was not answered for want of a consent, and asks for that. */
async function unanswered(text) {
  if (!$("text").value) $("text").value = text;
  await showConsents();
  consents.ask();
}

async function showConsents() {
  try { await consents.show(() => $("text").focus()); } catch (problem) { $("hint").textContent = problem.message; }
}

/** Shows the page in the language that was chosen, on this device or another one. */
async function spoken(language) {
  speak(language);
  $("language").value = document.documentElement.lang;
  line($("line").dataset.state);
  localStorage.setItem("companion.account", JSON.stringify({ ...account(), user: { ...account().user, language } }));
  await showConsents();
}

function answering(id) {
  running = id;
  $("stop").hidden = id === null;
}

async function reload() {
  talk.clear();
  try { talk.remember(await history()); } catch (problem) { $("hint").textContent = problem.message; }
}

async function goIn() {
  $("door").hidden = true;
  $("room").hidden = $("leave").hidden = false;
  speak(account().user.language);
  $("language").value = document.documentElement.lang;
  await Promise.all([reload(), showConsents()]);
  stream = new Stream({ ticket, on });
  await stream.open();
  $("text").focus();
}

function goOut() {
  stream?.close();
  stream = null;
  leave();
  talk.clear();
  talk.calm();
  offers.clear();
  consents.clear();
  answering(null);
  line("away");
  $("room").hidden = $("leave").hidden = true;
  $("door").hidden = false;
}

$("enter").onsubmit = async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  $("refused").textContent = "";
  try {
    const language = $("language").value;
    await enter(event.submitter.value, { email: form.get("email"), password: form.get("password"), language });
    event.target.reset();
    await goIn();
  } catch (problem) {
    $("refused").textContent = problem.message;
  }
};

$("say").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  say(text);
};

$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("say").requestSubmit();
  }
};

$("stop").onclick = () => stream.stop(running);
$("leave").onclick = goOut;

$("language").onchange = async () => {
  const language = $("language").value;
  speak(language);
  line($("line").dataset.state);
  if (!account()) return;
  try {
    await call("PUT", "/api/users/me/language", { language });
    await spoken(language);
  } catch (problem) {
    $("hint").textContent = problem.message;
  }
};

// What is logged out in one tab is logged out in all of them.
addEventListener("storage", ({ key }) => { if (key === null || (key.startsWith("companion.") && !account())) goOut(); });

const first = navigator.language.slice(0, 2);
$("language").value = ["en", "es", "fr"].includes(first) ? first : "en";
speak($("language").value);
line("away");
if (account()) await goIn();
