// The line of every page but a live room's, whose own line says the same: how many messages are unread. It comes back
// by itself, later each time, and never while the browser keeps the page for the way back.
import { find } from "shared/dom";
import { showUnread } from "shared/unread";

const SETTLED = 500; // ms after which somebody stays on a page: on the way through it needs no line
const FIRST_WAIT = 1000; // ms before it is tried again, on average; twice as long each time
const LONGEST_WAIT = 60_000;
const LONG_AWAY = 30_000; // ms out of sight, after which a line may look open and be dead
const TOO_MANY = 4429; // too many lines are open, from this person or this network: the next try is late
const FINAL = new Set([4401, 4403]); // signed out, or not allowed: no use in trying again

/** @type {WebSocket | null} */
let line = null;
let tries = 0;
let retry = 0;
let hiddenAt = 0;

function connect() {
  close();
  if (!navigator.onLine) return; // `online` comes
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/me/`);
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

/** @param {{ type?: string, messages: number, at: number }} message */
function take(message) {
  tries = 0;
  if (message.type === "unread") showUnread(message);
}

/** @param {number} code as WebSockets close with */
function lost(code) {
  line = null;
  if (FINAL.has(code)) return;
  const most = code === TOO_MANY ? LONGEST_WAIT : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries);
  tries += 1;
  // Many lose the line in the same second: they come back spread out.
  retry = setTimeout(connect, most * (0.5 + Math.random()));
}

/** What arrives while the page is open is read out, politely; what was there before, the page says by itself. */
function tell(/** @type {Event} */ event) {
  const { count, before, words } = /** @type {CustomEvent} */ (event).detail;
  if (count > before) find("[data-unread-told]").textContent = words;
}

document.addEventListener("unread", tell);
addEventListener("online", connect);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && connect());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = Date.now();
  else if (!line || Date.now() - hiddenAt > LONG_AWAY) connect();
});
showUnread({ messages: Number(find("[data-unread]").dataset.unread) }); // in the title
retry = setTimeout(connect, SETTLED);
