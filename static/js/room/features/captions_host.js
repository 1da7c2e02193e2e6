// Captions for host and co-hosts: how they are written now, whether they are, and the language in which they are heard,
// with an offer to change it where another one is spoken.
import { notice } from "room/core/notices";
import { find, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/**
 * The name of a language, in the page's.
 * @param {string} code
 */
function named(code) {
  return new Intl.DisplayNames(document.documentElement.lang, { type: "language" }).of(code) ?? code;
}

/** @implements {Mounted} */
class CaptionsHost {
  #room;
  #box = find("[data-captions-host]");
  #switch = find("[data-captions-form] button", HTMLButtonElement, this.#box);
  #form = find("[data-language-form]", HTMLFormElement, this.#box);
  #language = find("[name=language]", HTMLSelectElement, this.#form);
  #offer = find("[data-language-offer]", HTMLElement, this.#box);
  /** @type {string | null} the language that is heard and is not the room's */
  #heard = null;
  #shown = "";

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    find("[data-captions-form]", HTMLFormElement, this.#box).addEventListener("submit", (event) => {
      event.preventDefault();
      room.attempt(() => room.ask("set_captions", { on: !room.state.room.transcription }));
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#set(this.#language.value);
    });
    find("button", HTMLButtonElement, this.#offer).addEventListener("click", () => this.#accept());
  }

  /** @type {Mounted["messages"]} */
  messages = {
    caption_language: ({ data: { heard } }) => {
      if (!this.#room.manages || heard === this.#room.state.room.language) return;
      this.#heard = heard;
      this.#room.draw();
      if (this.#mayOffer) notice(this.#words, { label: say("language_change"), run: () => this.#accept() });
      else notice(this.#words);
    },
  };

  get #mayOffer() {
    return [...this.#language.options].some(({ value }) => value === this.#heard);
  }

  get #words() {
    const { language } = this.#room.state.room;
    return say("language_heard", { heard: named(this.#heard ?? language), language: named(language) });
  }

  #accept() {
    if (this.#heard !== null) this.#set(this.#heard);
  }

  /** @param {string} language */
  async #set(language) {
    const isDone = await this.#room.attempt(() =>
      this.#room.ask("set_language", { language: /** @type {"en"} */ (language) }),
    );
    if (isDone) notice(say("language_now", { language: named(language) }));
  }

  /** @param {State} state */
  draw({ room: { transcription, language }, captions: { level } }) {
    write(
      find("[data-captions-word]", HTMLElement, this.#box),
      say(`captions_level_${transcription ? level : "none"}`),
    );
    write(this.#switch, say(transcription ? "captions_switch_off" : "captions_switch_on"));
    if (language !== this.#shown) this.#language.value = language;
    this.#shown = language;
    if (this.#heard === language) this.#heard = null;
    const hadFocus = this.#offer.contains(document.activeElement);
    this.#offer.hidden = this.#heard === null || !transcription;
    if (!this.#offer.hidden) {
      write(find("p", HTMLElement, this.#offer), this.#words);
      find("button", HTMLButtonElement, this.#offer).hidden = !this.#mayOffer;
    } else if (hadFocus) this.#language.focus({ preventScroll: true });
  }
}

/** @satisfies {import("room/types").Feature} */
export const captionsHost = {
  mount: (room) => new CaptionsHost(room),
};
