// The account: who is logged in, and calls of the REST API in that name.

const KEPT = "companion.account";

export class Refused extends Error {
  constructor(status, body) {
    super(body?.error ?? `the server answered with status ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** Calls the API; throws `Refused` with what the server says when it does not agree. */
export async function call(method, path, body) {
  const headers = { "content-type": "application/json" };
  const token = account()?.token;
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  let json = null;
  try { json = text ? JSON.parse(text) : null; } catch { /* A proxy may answer in its own words. */ }
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}

export function account() {
  return JSON.parse(localStorage.getItem(KEPT) ?? "null");
}

/** Logs in, or registers first. */
export async function enter(how, { email, password, language }) {
  const form = how === "register" ? { email, password, language } : { email, password };
  const { token, user } = await call("POST", `/api/auth/${how}`, form);
  localStorage.setItem(KEPT, JSON.stringify({ token, user }));
  return user;
}

export function leave() {
  localStorage.removeItem(KEPT);
}

export async function ticket() {
  return (await call("POST", "/api/auth/ws-ticket")).ticket;
}

/** Returns the messages of the newest session, oldest first. */
export async function history() {
  const sessions = await call("GET", "/api/conversations?limit=1");
  const newest = (sessions.conversations ?? sessions)[0];
  if (!newest || newest.ended_at) return [];
  const page = await call("GET", `/api/conversations/${newest.id}/messages`);
  return page.messages ?? page;
}
