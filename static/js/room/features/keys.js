// Single keys: what they do is registered by the features (room/core/keys). Never while one types, never with Ctrl, Alt
// or the like, and not at all where the reader turned them off (a key that one hits by accident, or says to a computer
// that listens, must not do it).
import { keysNow, register } from "room/core/keys";
import { tell } from "room/core/notices";
import { api } from "shared/api";
import { clone, find, findAll, hit } from "shared/dom";
import { keepChoice, keptChoice } from "shared/kept";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Controls, Mounted, State } from "room/types" */
/** @import { Word } from "shared/word" */

const KEPT = "stamtafel.keys";
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const MICROPHONE = ["mute", "unmute", "held"];
const AWAITED = 10_000; // ms within which the bar shows what became of a key
// Keys of the bar: the key of the label, the controls (the first that is shown is pressed), and what is read out once
// the pressed one is gone, where nothing else says it.
/** @type {[string, Word, string[], Record<string, Word>][]} */
const BAR = [
  ["m", "key_microphone", MICROPHONE, { mute: "key_mic_off", unmute: "key_mic_on" }],
  ["h", "key_hand", ["raise_hand", "lower_hand"], { lower_hand: "key_hand_down" }],
  ["s", "key_sound", ["listen", "sound"], { listen: "key_sound_on" }],
  ["t", "key_take_seat", ["take_seat"], {}],
  ["u", "key_leave_seat", ["leave_seat"], {}],
  ["c", "key_share", ["share"], {}],
  ["e", "key_end", ["end"], {}],
];

/** @implements {Mounted} */
class Keys {
  #room;
  #sheet = find("#keys-sheet", HTMLDialogElement);
  #box = find("[data-uses-keys]", HTMLInputElement);
  #opener = find("[data-keys-open]", HTMLButtonElement);
  /** @type {{ control: string, words: Word, until: number } | null} */
  #awaited = null;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#box.checked = room.page.keys ?? keptChoice(KEPT, true);
    this.#box.addEventListener("change", () => this.#choose(this.#box.checked));
    this.#opener.addEventListener("click", () => this.#open());
    document.addEventListener("keydown", (event) => this.#pressed(event));
    this.#register();
    find("[data-keys]").hidden = false;
  }

  #register() {
    register({ key: "?", label: say("key_help"), run: () => this.#open() });
    for (const [key, label, names, words] of BAR) {
      const control = () => this.#room.controls.shown.find((name) => names.includes(name));
      const run = () => this.#act(control() ?? "", words);
      register({ key, label: say(label), run, when: () => control() !== undefined });
    }
    const leave = find('[data-do="leave"]');
    register({
      key: "x",
      label: say("key_leave"),
      run: () => leave.focus(),
      when: () => this.#room.controls.shown.includes("leave"),
    });
  }

  /**
   * @param {State} _state
   * @param {Controls} controls
   */
  draw(_state, { shown }) {
    const speaks = this.#room.stage.state !== "off" && shown.some((name) => MICROPHONE.includes(name));
    find("[data-own-microphone]").hidden = !speaks;
    const awaited = this.#awaited;
    if (!awaited || shown.includes(awaited.control)) return;
    this.#awaited = null;
    if (Date.now() < awaited.until) tell(say(awaited.words));
  }

  /**
   * @param {string} control of the bar
   * @param {Record<string, Word>} words
   */
  #act(control, words) {
    const { audience } = this.#room;
    if (control === "sound") tell(say(audience.isOn ? "key_sound_off" : "key_sound_on"));
    if (words[control]) this.#awaited = { control, words: words[control], until: Date.now() + AWAITED };
    this.#room.act(control);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#box.checked || hit(event, TYPING)) return;
    const key = event.key.toLowerCase();
    if (event.shiftKey && /^\p{L}$/u.test(key)) return;
    const [open] = findAll("dialog[open]");
    const run = open ? this.#inDialog(open, key) : this.#onPage(key);
    if (!run) return;
    event.preventDefault();
    run();
  }

  /**
   * In a card its acts have the numbers 1 to 9, in their order.
   * @param {HTMLElement} dialog
   * @param {string} key
   */
  #inDialog(dialog, key) {
    if (dialog.id !== "person-sheet") return null;
    const act = findAll(".card-acts .button", dialog).filter((one) => one.checkVisibility())[Number(key) - 1];
    return act ? () => act.click() : null;
  }

  /** @param {string} key */
  #onPage(key) {
    const seat = /^[1-9]$/.test(key) ? this.#room.state.seats[Number(key) - 1] : undefined;
    if (seat) return () => this.#room.introduce(seat.user);
    return keysNow().find((one) => one.key === key)?.run ?? null;
  }

  #open() {
    const cards = { key: "1 – 9", label: say("key_cards") };
    const items = [...keysNow(), cards].map(({ key, label }) => {
      const item = clone("[data-key-item]");
      find("kbd", HTMLElement, item).textContent = key.length === 1 ? key.toUpperCase() : key;
      find("dd", HTMLElement, item).textContent = label;
      return item;
    });
    find("[data-keys-list]").replaceChildren(...items);
    this.#sheet.showModal();
  }

  /** @param {boolean} uses */
  async #choose(uses) {
    if (this.#room.page.keys === null) return keepChoice(KEPT, uses);
    const isSaved = await this.#room.attempt(() => api("PATCH", "me/", { uses_keys: uses }));
    if (!isSaved) this.#box.checked = !uses;
  }
}

/** @satisfies {import("room/types").Feature} */
export const keys = {
  mount: (room) => new Keys(room),
};
