// The page's line to the room: asks and gets answers, hands on what arrives, and comes back by itself.

/** @import { Ask } from "room/types" */
/** @import { Verbs } from "room/wire" */

const QUIET = 12_000; // ms without a message (a beat comes every 5 s) after which the line counts as dead
const ANSWER = 10_000; // ms to wait for an answer
const PROBE = 700; // ms to wait for a sign of life after sleep
const AT_ONCE = 0.4; // s within which a page comes back first, unless the server says otherwise
const LONGEST_WAIT = 5_000; // ms between two tries: who asked for something is served soon after we are back
const PRESENT = 60_000; // ms between two pings of a page of staff that is seen
const TOO_MANY = 4429; // too many lines are open, from this person or this network: the next try is later
const LATER = 20_000; // ms between two tries then, at most
const FINAL = new Set([4403, 4404]); // not allowed, no such room: no use in trying again

/** Something was refused; `code` is for programs, `message` for people. */
export class Refused extends Error {
  /** @param {{ code: string, text: string }} error */
  constructor({ code, text }) {
    super(text);
    this.code = code;
  }
}

/**
 * Events: `message` (detail: what came), `open`, `lost` (detail: the close code), `final` (detail: a `Final`).
 * @typedef {object} Final the close code, with the code and the text of the error that was sent before it
 * @property {number} code
 * @property {string} [reason]
 * @property {string} [text]
 */
export class RoomSocket extends EventTarget {
  #url;
  #by = new URLSearchParams(location.search).get("by"); // the shared link that led here, until the server knows it
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (refused: Refused) => void, timer: number }>} */
  #asked = new Map();
  #nextId = 1;
  #tries = 0;
  #within = AT_ONCE; // s, as the server said it last: the more have to come back at once, the longer
  #retry = 0;
  #quiet = 0;
  #closed = false;
  #isNew = true; // no snapshot came over this line yet
  // In memory only: a page keeps its name when it connects again, and a duplicate of its tab gets another.
  page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  /** @type {{ code: string, text: string } | null} the error with which the server closed the line, if it said one */
  #why = null;

  /**
   * @param {string} slug
   * @param {boolean} asStaff whether to listen in, unseen
   */
  constructor(slug, asStaff) {
    super();
    const socket = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/rooms/${slug}/`;
    this.#url = `${socket}?page=${this.page}${asStaff ? "&staff=1" : ""}`;
    addEventListener("online", () => this.#connect());
    addEventListener("offline", () => this.#lose());
    addEventListener("pageshow", (event) => event.persisted && this.#connect());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
    if (asStaff) setInterval(() => this.#present(), PRESENT);
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /**
   * Ask for something. Rejects with `Refused`; `offline` if there is no line or no answer.
   * @type {Ask}
   */
  ask = (verb, ...[values = {}, wait = ANSWER]) => {
    const socket = this.#socket;
    if (!socket || !this.isOpen) return Promise.reject(new Refused({ code: "offline", text: "offline" }));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, { error: { code: "offline", text: "no answer" } }), wait);
      this.#asked.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ id, do: verb, ...values }));
    });
  };

  /**
   * Say something on the way out: no answer is waited for.
   * @param {keyof Verbs} verb
   */
  tell(verb) {
    if (this.isOpen) this.#socket?.send(JSON.stringify({ id: this.#nextId++, do: verb }));
  }

  /** For good: the room is over or the page goes. */
  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#quiet);
    this.#socket?.close();
  }

  #connect() {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#drop();
    const by = this.#by ? `&${new URLSearchParams({ by: this.#by })}` : "";
    const socket = new WebSocket(this.#url + by);
    this.#isNew = true;
    this.#socket = socket;
    socket.onmessage = (event) => socket === this.#socket && this.#take(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#gone(event.code);
    this.#listenForQuiet();
  }

  /** @param {any} message */
  #take(message) {
    this.#listenForQuiet();
    if (message.re !== undefined) return this.#settle(message.re, message);
    if (typeof message.retry_within === "number") this.#within = message.retry_within;
    if (message.error) this.#why = message.error;
    if (message.type === "snapshot" && this.#isNew) this.#opened();
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  /** The first snapshot of a line. Later ones are for the state alone: sound that is connecting goes on. */
  #opened() {
    this.#isNew = false;
    this.#tries = 0;
    if (this.#by) this.#forgetWay();
    this.dispatchEvent(new Event("open"));
  }

  /** By whom one came counts once, and is no part of the address that one hands on. */
  #forgetWay() {
    this.#by = null;
    const url = new URL(location.href);
    url.searchParams.delete("by");
    history.replaceState(history.state, "", url);
  }

  /**
   * @param {number} id
   * @param {any} answer
   */
  #settle(id, answer) {
    const asked = this.#asked.get(id);
    if (!asked) return;
    clearTimeout(asked.timer);
    this.#asked.delete(id);
    if (answer.error) asked.reject(new Refused(answer.error));
    else asked.resolve(answer);
  }

  #listenForQuiet() {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#lose(), QUIET);
  }

  /** Listening in goes on for as long as somebody has the page before them. */
  #present() {
    if (this.isOpen && document.visibilityState === "visible") this.tell("ping");
  }

  /** After sleep a line may look open and be dead: one question tells. */
  #wake() {
    if (this.#closed) return;
    if (!this.isOpen) this.#connect();
    else this.ask("ping", {}, PROBE).catch((refused) => refused.code === "offline" && this.#connect());
  }

  #lose() {
    if (!this.#closed && this.#socket) this.#gone(1006);
  }

  /** @param {number} code as WebSockets close with */
  #gone(code) {
    this.#drop();
    if (this.#closed) return;
    if (FINAL.has(code)) {
      this.close();
      const detail = { code, reason: this.#why?.code, text: this.#why?.text };
      this.dispatchEvent(new CustomEvent("final", { detail }));
      return;
    }
    this.dispatchEvent(new CustomEvent("lost", { detail: code }));
    this.#tries += 1;
    this.#retry = setTimeout(
      () => this.#connect(),
      code === TOO_MANY ? LATER * (0.5 + Math.random() / 2) : this.#wait(),
    );
  }

  /** Many lose the line in the same second: come back spread out, the first time as far as the server said. */
  #wait() {
    const within = this.#tries === 1 ? 1_000 * this.#within : Math.min(LONGEST_WAIT, 200 * 2 ** this.#tries);
    return Math.random() * within;
  }

  #drop() {
    const old = this.#socket;
    this.#socket = null;
    clearTimeout(this.#quiet);
    for (const id of [...this.#asked.keys()]) this.#settle(id, { error: { code: "offline", text: "offline" } });
    old?.close();
  }
}
