// The list of a room's clips as the server draws it: asked for again while one is being made, and after each act in it.
import { announce } from "shared/notice";
import { say } from "shared/words";

const AGAIN = 2000; // ms

export class ClipList {
  #root;
  #path;
  #tell;
  #timer = 0;

  /**
   * @param {HTMLElement} root what holds the list
   * @param {string} slug of the room
   * @param {(text: string) => void} [tell] what has a sentence read
   */
  constructor(root, slug, tell = announce) {
    this.#root = root;
    this.#path = `/r/${encodeURIComponent(slug)}/clips/`;
    this.#tell = tell;
    root.addEventListener("submit", (event) => this.#submitted(event));
    this.#wait();
  }

  /** Whether one is being made. */
  get #isUnderWay() {
    return this.#root.querySelector("[data-under-way]") !== null;
  }

  /** Keys of those that are being made. */
  get #keysUnderWay() {
    const rows = this.#root.querySelectorAll('[data-clip-state="waiting"], [data-clip-state="making"]');
    return [...rows].map((row) => row.getAttribute("data-clip") ?? "");
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#isUnderWay) this.#timer = setTimeout(() => this.load(), AGAIN);
  }

  /** Ask the server for the list, and show it. */
  async load() {
    const before = this.#keysUnderWay;
    const answer = await fetch(this.#path).catch(() => null);
    const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    const list = page?.querySelector("[data-clip-list]");
    const had = document.activeElement;
    if (list && !this.#root.contains(had)) this.#show(list);
    else if (list && had instanceof HTMLElement) this.#showKeeping(list, had);
    if (list) this.#tellOf(before);
    this.#wait();
  }

  /**
   * Say what became of clips that were being made: that one is ready, or why one is not.
   * @param {string[]} keys
   */
  #tellOf(keys) {
    const rows = keys.map((key) => this.#root.querySelector(`[data-clip="${CSS.escape(key)}"]`));
    const why = rows.map((row) => row?.querySelector(".wrong")?.textContent).find(Boolean);
    if (rows.some((row) => row?.getAttribute("data-clip-state") === "ready")) this.#tell(say("clip_ready"));
    else if (why) this.#tell(why);
  }

  /** @param {Element} list */
  #show(list) {
    this.#root.querySelector("[data-clip-list]")?.replaceWith(document.adoptNode(list));
  }

  /**
   * Show a list, with the focus on the same button as before, or on the list where there is none.
   * @param {Element} list
   * @param {HTMLElement} had
   */
  #showKeeping(list, had) {
    const clip = had.closest("[data-clip]")?.getAttribute("data-clip") ?? "";
    const number = [...(had.closest("[data-clip]")?.querySelectorAll("a, button") ?? [])].indexOf(had);
    this.#show(list);
    const place = clip ? this.#root.querySelector(`[data-clip="${CSS.escape(clip)}"]`) : null;
    const next = place ? [...place.querySelectorAll("a, button")][number] : null;
    const focus = next ?? this.#root.querySelector("[data-clip-list]");
    if (!(focus instanceof HTMLElement)) return;
    if (!next) focus.tabIndex = -1;
    focus.focus({ preventScroll: true });
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.closest("[data-clip-list]")) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    const answer = await fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => null);
    if (!answer?.ok) this.#tell(say("clip_failed"));
    else if (form.matches("[data-clip-take-back]")) this.#tell(say("clip_deleted"));
    await this.load();
  }
}
