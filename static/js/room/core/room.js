// The room on this page: its state, its line, its sound, and the features that use them.

import { labels } from "names";
import { clearAll, notice } from "room/core/notices";
import { RoomSocket } from "room/core/socket";
import { isOver, nameOf, seatOf } from "room/core/state";
import { Store } from "room/core/store";
import { Audience } from "room/sound/audience";
import { Stage } from "room/sound/stage";
import { find, findAll } from "shared/dom";
import { say } from "shared/words";

/** @import { Message, Snapshot } from "room/wire" */
/** @import { Ask, Controls, Face, Feature, Local, Mounted, OwnMessage, PageData, State, Tables } from "room/types" */

export class Room extends EventTarget {
  /** @type {Mounted[]} */
  #parts = [];
  /** @type {Controls} */
  #controls = { shown: [], hint: null, maySit: false };
  #decide;
  #asking = false;
  #due = false;
  /** @type {Map<string, Face>} listeners whom the page got to know, by handle */
  faces = new Map();
  elsewhere = false;
  lost = false;
  shut = false;
  /** @type {string | null} */
  out = null;

  /**
   * `decide` says which controls make sense; what features add themselves comes to it.
   * @param {PageData} page
   * @param {Snapshot} snapshot
   * @param {Tables} tables
   * @param {(state: State, local: Local) => Controls} decide
   */
  constructor(page, snapshot, tables, decide) {
    super();
    this.page = page;
    this.#decide = decide;
    this.store = new Store(snapshot, tables);
    this.socket = new RoomSocket(page.slug, page.staff);
    const element = find("[data-sound]", HTMLAudioElement);
    this.audience = new Audience(this.ask, element, page.slug, page.staff);
    this.stage = new Stage(this.ask, element);
  }

  get state() {
    return this.store.state;
  }

  /** @returns {Local} */
  get local() {
    const { shut, elsewhere, lost, out } = this;
    return { sound: this.audience.state, stage: this.stage.state, shut, elsewhere, lost, out };
  }

  get controls() {
    return this.#controls;
  }

  /** Whether the reader may act as host or co-host here and now. */
  get manages() {
    return !this.out && !isOver(this.state) && this.state.you.may.manage;
  }

  /**
   * How a person is called in a sentence, with a seat or as a listener.
   * @param {string} user a handle
   */
  nameOf(user) {
    const face = this.faces.get(user);
    return face && !seatOf(this.state, user)
      ? (labels([...this.state.seats, face]).get(user) ?? user)
      : nameOf(this.state, user);
  }

  /**
   * Open the card of a person.
   * @param {string} user a handle
   */
  introduce(user) {
    this.dispatchEvent(new CustomEvent("person", { detail: user }));
  }

  /** @type {Ask} */
  ask = (verb, ...asked) => this.socket.ask(verb, ...asked);

  /**
   * Mount the features and go with what arrives.
   * @param {readonly Feature[]} features
   */
  start(features) {
    for (const feature of features) if (feature.mount) this.#parts.push(feature.mount(this));
    this.store.subscribe((state, before) => {
      for (const part of this.#parts) part.follow?.(state, before);
      this.draw();
    });
    this.socket.addEventListener("message", (event) => this.#take(/** @type {CustomEvent<Message>} */ (event).detail));
    this.audience.addEventListener("change", () => this.draw());
    this.stage.addEventListener("change", () => this.draw());
    const begin = () => this.#begin();
    this.socket.addEventListener("open", begin, { once: true });
    // The browser kept the page as it was and shows it again: it begins anew, as after a reload.
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.socket.addEventListener("open", begin, { once: true });
    });
  }

  #begin() {
    this.draw();
    for (const part of this.#parts) part.begin?.();
  }

  /** @param {Message} message */
  #take(message) {
    if ("room" in message && message.type !== "snapshot" && message.room !== this.page.slug) return;
    for (const part of this.#parts)
      part.messages?.[/** @type {"count"} */ (message.type)]?.(/** @type {any} */ (message));
    this.dispatch(message);
  }

  /**
   * Change the state by a message, from the server or the page's own.
   * @param {Message | OwnMessage} message
   */
  dispatch(message) {
    if (this.store.dispatch(message)) this.#resync();
  }

  /** Something was missed: the whole state again, asked for once. */
  #resync() {
    if (this.#asking) return;
    this.#asking = true;
    this.ask("snapshot")
      .catch((refused) => console.info("snapshot", refused.code))
      .finally(() => (this.#asking = false));
  }

  /** Draw soon: once, however much changes until then. */
  draw() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      const { state, local } = this;
      const { shown, hint, ...others } = this.#decide(state, local);
      this.#controls = {
        ...others,
        shown: [...shown, ...this.#parts.flatMap((part) => part.controls?.(state, local) ?? [])],
        hint: this.#parts.map((part) => part.hint?.(state, local)).find(Boolean) ?? hint,
      };
      for (const part of this.#parts) part.draw?.(state, this.#controls);
    });
  }

  /**
   * What a control of the bar does.
   * @param {string} name
   */
  act(name) {
    for (const part of this.#parts) part.actions?.[name]?.();
  }

  /**
   * Do what may be refused, and say so if it is. True if it worked.
   * @param {() => unknown} work
   */
  async attempt(work) {
    try {
      await work();
      return true;
    } catch (refused) {
      const unsaid = refused.code === "offline" || !refused.code;
      if (!this.out && !isOver(this.state)) notice(unsaid ? say("failed") : refused.message);
      return false;
    }
  }

  /**
   * Let nothing be heard, whatever plays, until a question is answered that comes first.
   * @param {boolean} hushed
   */
  hush(hushed) {
    this.audience.hushed = hushed;
    this.stage.hushed = hushed;
  }

  /** For good: the room is over, or this page is out of it. A report that is being written can still be sent. */
  finish() {
    this.stage.close();
    this.audience.stop();
    this.socket.close();
    const sheets = findAll("dialog[open]:not([data-outlives-room])");
    for (const sheet of sheets) if (sheet instanceof HTMLDialogElement) sheet.close();
    clearAll();
  }
}
