// Reactions: sent from the bar and shown at once; those of others come with a tick, rise from the table, and are read out
// at most every few seconds.
import { register } from "room/core/keys";
import { tell } from "room/core/notices";
import { MOST_TONE, OwnReactions, sentence, toned } from "room/core/reactions";
import { Risen } from "room/core/risen";
import { isOver } from "room/core/state";
import { find, findAll, hit } from "shared/dom";
import { keepChoice, keepNumber, keptChoice, keptNumber } from "shared/kept";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Counts, Kind } from "room/core/reactions" */
/** @import { Controls, Local, Mounted, State } from "room/types" */

const QUIET = 6000; // ms between two sentences, at least
const TONE = "reaction-tone";
const SHOWN = "reactions-shown";

/** @implements {Mounted} */
class Reactions {
  #room;
  #sheet = find("[data-reactions]");
  #buttons = findAll("[data-react]", this.#sheet);
  #choice = find("[data-show-reactions]", HTMLInputElement);
  #risen = new Risen(new Map(this.#buttons.map(({ dataset }) => [dataset.react ?? "", dataset.emoji ?? ""])));
  #own = new OwnReactions();
  #tone = keptNumber(TONE, MOST_TONE);
  #hasSheet = "popover" in HTMLElement.prototype; // browsers before 2024 may not have it
  /** @type {Counts} what was not read out yet */
  #unsaid = {};
  #timer = 0;
  #ahead = 0; // ms by which the server's clock is ahead of this one

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#choice.checked = keptChoice(SHOWN, true);
    this.#choice.addEventListener("change", () => this.#choose());
    find("[data-reactions-choice]").hidden = false;
    this.#sheet.addEventListener("click", (event) => {
      const button = hit(event, "[data-react]");
      if (button) this.#send(button);
    });
    for (const tone of findAll("[data-tone]", this.#sheet)) {
      if (!(tone instanceof HTMLInputElement)) continue;
      tone.checked = tone.value === String(this.#tone);
      tone.addEventListener("change", () => this.#setTone(Number(tone.value)));
    }
    this.#drawTone();
    register({
      key: "r",
      label: say("key_react"),
      run: () => this.#open(),
      when: () => room.controls.shown.includes("react"),
    });
    room.socket.addEventListener("lost", () => this.#own.forget());
  }

  /** Opens the sheet, with the focus in it. */
  #open() {
    this.#sheet.showPopover();
    this.#buttons[0]?.focus();
  }

  /** @type {Mounted["messages"]} */
  messages = {
    reactions: ({ counts }) => {
      const others = this.#own.others(counts);
      if (!this.#choice.checked) return;
      this.#risen.show(others);
      this.#note(others);
    },
    beat: ({ now }) => {
      this.#ahead = Date.parse(now) - Date.now();
    },
  };

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { lost, out }) {
    return lost || out || isOver(state) || !this.#hasSheet || this.#room.page.staff ? [] : ["react"];
  }

  /**
   * @param {State} state
   * @param {Controls} controls
   */
  draw(state, { shown }) {
    if (!shown.includes("react") && this.#hasSheet && this.#sheet.matches(":popover-open")) this.#sheet.hidePopover();
    if (isOver(state)) this.#risen.clear();
  }

  /** @param {HTMLElement} button */
  async #send({ dataset }) {
    const kind = /** @type {Kind} */ (dataset.react ?? "");
    const tone = dataset.toned === undefined ? 0 : this.#tone;
    this.#own.add(kind, tone);
    this.#risen.show({ [kind]: { [tone]: 1 } }, 0);
    await this.#room.attempt(async () => {
      try {
        await this.#room.ask("react", { kind, tone, behind: this.#behind() });
      } catch (refused) {
        this.#own.add(kind, tone, -1);
        if (refused.code !== "too_fast") throw refused; // whoever claps that fast has been seen clapping
      }
    });
  }

  /** By how many seconds one hears the room late: a reaction belongs to what one reacts to. */
  #behind() {
    const at = this.#room.audience.playingAt;
    return at === null ? 0 : Math.max(0, Math.round((Date.now() + this.#ahead - at) / 1000));
  }

  /** @param {number} tone */
  #setTone(tone) {
    this.#tone = tone;
    keepNumber(TONE, tone);
    this.#drawTone();
  }

  #drawTone() {
    for (const button of this.#buttons.filter(({ dataset }) => dataset.toned !== undefined)) {
      find("[data-glyph]", HTMLElement, button).textContent = toned(button.dataset.emoji ?? "", this.#tone);
    }
  }

  #choose() {
    const { checked } = this.#choice;
    keepChoice(SHOWN, checked);
    if (checked) return;
    this.#risen.clear();
    this.#unsaid = {};
  }

  /** @param {Counts} counts */
  #note(counts) {
    for (const [kind, tones] of Object.entries(counts)) {
      const sum = Object.values(tones).reduce((all, one) => all + one, this.#unsaid[kind]?.[0] ?? 0);
      this.#unsaid[kind] = { 0: sum };
    }
    this.#timer ||= setTimeout(() => this.#say(), QUIET);
  }

  #say() {
    this.#timer = 0;
    const counts = this.#unsaid;
    this.#unsaid = {};
    if (Object.keys(counts).length > 0 && !isOver(this.#room.state)) tell(sentence(counts));
  }
}

/** @satisfies {import("room/types").Feature} */
export const reactions = {
  mount: (room) => new Reactions(room),
};
