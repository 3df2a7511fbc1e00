// Consents: what the server may do with what is written, in its own words, given and taken back here.

import { call } from "./account.js";
import { word } from "./words.js";

const PATH = "/api/users/me/consents";
const door = document.getElementById("consents");
const list = document.getElementById("purposes");
let changed = () => {};

function row({ purpose, required, given, text, shown }) {
  const box = document.createElement("div");
  box.className = "consent";
  box.dataset.purpose = purpose;
  if (required) box.dataset.required = "";
  const line = document.createElement("p");
  line.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = given ? "quiet" : "";
  button.textContent = word(given ? "withdraw" : "agree");
  button.onclick = async () => {
    button.disabled = true;
    try {
      await (given ? call("DELETE", `${PATH}/${purpose}`) : call("PUT", `${PATH}/${purpose}`, { shown }));
      await show();
      changed();
    } catch (problem) {
      line.textContent = problem.message;
      button.disabled = false;
      // Other words are in force by now: they are shown, and asked for anew.
      if (problem.body?.code === "consent_words_changed") show().catch(() => {});
    }
  };
  box.append(line, button);
  if (required && !given) door.open = true;
  return box;
}

/** Shows what is asked, and opens the door where an answer depends on it. `then` hears of each change. */
export async function show(then = changed) {
  changed = then;
  const asked = await call("GET", PATH);
  list.replaceChildren(...asked.map(row));
}

/** Opens the door: something was not done for want of a consent. */
export function ask() {
  door.open = true;
  list.querySelector("[data-required] button:not(.quiet)")?.focus();
}

export function clear() {
  door.open = false;
  list.replaceChildren();
}
