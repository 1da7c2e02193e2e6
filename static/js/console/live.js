// The line of the console's pages: that a report came or a case changed, so that numbers update by themselves. Messages
// hold keys only; what is so now is read from the server. It comes back by itself, later each time.

/** @import { Sided } from "room/wire" */

const FIRST_WAIT = 500; // ms before it is tried again, on average; twice as long each time
const LONGEST_WAIT = 20_000;
const TOO_MANY = 4429; // too many lines are open, from this person or this network: the next try is late
const LONG_AWAY = 30_000; // ms out of sight, after which a line may look open and be dead
const FINAL = new Set([4401, 4403]); // signed out, or no right to it (any more): no use in trying again

/**
 * Messages to staff, and two of the line's own: `resync` when it opens, then read everything again, something may have
 * been missed; `ended` when it is closed for good, because the reader's rights ended: what is shown stands still.
 * @typedef {Extract<Sided, { type: "report_received" | "case_changed" }> | { type: "resync" } | { type: "ended" }} StaffMessage
 */

/** @type {Map<string, Set<(message: any) => void>>} */
const listeners = new Map();
/** @type {WebSocket | null} */
let line = null;
let tries = 0;
let retry = 0;
let hiddenAt = 0;
let isStarted = false;
let isOver = false;

/**
 * Call `then` for each message of a type. The first call opens the line. Returns what ends it.
 * @template {StaffMessage["type"]} Type
 * @param {Type} type
 * @param {(message: Extract<StaffMessage, { type: Type }>) => void} then
 */
export function onStaffMessage(type, then) {
  const set = listeners.get(type) ?? new Set();
  listeners.set(type, set.add(then));
  if (!isStarted) start();
  return () => set.delete(then);
}

function start() {
  isStarted = true;
  addEventListener("online", connect);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (!line || Date.now() - hiddenAt > LONG_AWAY) connect();
  });
  connect();
}

function connect() {
  close();
  if (isOver || !navigator.onLine) return; // `online` comes
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/staff/`);
  line = socket;
  socket.onmessage = ({ data }) => socket === line && take(JSON.parse(data));
  socket.onclose = ({ code }) => socket === line && lost(code);
}

function close() {
  clearTimeout(retry);
  const old = line;
  line = null;
  // One that is not open yet would complain of being closed.
  if (old?.readyState === WebSocket.CONNECTING) old.onopen = () => old.close();
  else old?.close();
}

/** @param {{ type: string }} message */
function take(message) {
  tries = 0;
  for (const then of [...(listeners.get(message.type) ?? [])]) then(message);
}

/** @param {number} code as WebSockets close with */
function lost(code) {
  line = null;
  if (FINAL.has(code)) {
    isOver = true;
    take({ type: "ended" });
    return;
  }
  const most = code === TOO_MANY ? LONGEST_WAIT : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  tries += 1;
  // Many lose the line in the same second: they come back spread out.
  retry = setTimeout(connect, most * (0.5 + Math.random()));
}
