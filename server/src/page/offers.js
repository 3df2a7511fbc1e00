// Suggestions: nothing is entered into the calendar that the user has not confirmed.

import { call } from "./account.js";
import { word } from "./words.js";

const place = document.getElementById("offers");
const shown = new Map();

function button(name, does, isQuiet = false) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = word(name);
  button.className = isQuiet ? "quiet" : "";
  button.onclick = async () => {
    button.disabled = true;
    try { await does(); } catch (problem) { say(button.parentElement, problem.message); }
  };
  return button;
}

function say(offer, text, ...buttons) {
  const line = document.createElement("p");
  line.setAttribute("role", "status");
  line.textContent = text;
  offer.replaceChildren(line, ...buttons);
}

/** Shows an entry that the server proposes. */
export function offer({ suggestion }) {
  if (shown.has(suggestion.id)) return;
  const box = document.createElement("div");
  box.className = "offer";
  const time = new Date(suggestion.suggested_time);
  const line = document.createElement("p");
  line.textContent = `${suggestion.title} · ${time.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" })}`;
  box.append(line, button("confirm", () => confirm(box, suggestion)), button("dismiss", () => dismiss(box, suggestion), true));
  shown.set(suggestion.id, box);
  place.append(box);
}

async function confirm(box, { id, title, description, suggested_time }) {
  const reminder = await call("POST", "/api/reminders", {
    title, description, reminder_time: suggested_time, suggestion_id: id, confirmed_time: suggested_time,
  });
  say(box, word("confirmed"), button("undo", async () => {
    await call("DELETE", `/api/reminders/${reminder.id}`);
    say(box, word("undone"));
  }, true));
}

async function dismiss(box, { id }) {
  await call("POST", `/api/suggestions/${id}/dismiss`);
  say(box, word("dismissed"));
}

/** Clears an entry that was decided upon elsewhere. */
export function decided({ id }) {
  const box = shown.get(id);
  if (box?.querySelector("button:not(.quiet)")) say(box, word("elsewhere"));
}

export function clear() {
  place.replaceChildren();
  shown.clear();
}
