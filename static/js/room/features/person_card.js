// A person's card: who they are, and what the host may do about their seat.
import { CardActs } from "room/core/card";
import { ACTION_SHOWN, notice } from "room/core/notices";
import { mayActOn, microphoneWord, nameOf, seatOf } from "room/core/state";
import { drawAvatar } from "shared/avatar";
import { catchFocus, find, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/** @implements {Mounted} */
class PersonCard {
  #sheet = find("#person-sheet", HTMLDialogElement);
  #room;
  #acts;
  /** @type {{ user: string, name: string, timer: number } | null} who is being taken off the stage */
  #leaving = null;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#acts = new CardActs(room, {
      mute: {
        fits: (seat, state) => mayActOn(state, seat) && !seat.muted,
        run: (user) => room.attempt(() => room.ask("mute", { user })),
      },
      unseat: {
        fits: (seat, state) => mayActOn(state, seat),
        run: (user) => this.#takeOff(user),
      },
    });
    room.addEventListener("person", () => this.#open());
    this.#sheet.addEventListener("click", (event) => {
      if (event.target === this.#sheet) this.#sheet.close();
    });
    addEventListener("pagehide", () => this.#takeOffNow());
  }

  /**
   * Off the stage, after a while in which it can be undone; nothing more is heard of them meanwhile.
   * @param {string} user a handle
   */
  #takeOff(user) {
    this.#takeOffNow();
    const name = nameOf(this.#room.state, user);
    const timer = setTimeout(() => this.#takeOffNow(), ACTION_SHOWN);
    this.#leaving = { user, name, timer };
    if (!seatOf(this.#room.state, user)?.muted) this.#room.attempt(() => this.#room.ask("mute", { user }));
    notice(say("taking_off", { name }), {
      label: say("undo"),
      run: () => {
        clearTimeout(timer);
        if (this.#leaving?.timer === timer) this.#leaving = null;
      },
    });
  }

  async #takeOffNow() {
    if (!this.#leaving) return;
    const { user, name, timer } = this.#leaving;
    this.#leaving = null;
    clearTimeout(timer);
    if (!seatOf(this.#room.state, user)) return;
    if (await this.#room.attempt(() => this.#room.ask("unseat", { user }))) notice(say("taken_off", { name }));
  }

  /**
   * Who opens the microphone again does not speak until then.
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    const user = this.#leaving?.user ?? null;
    if (seatOf(before, user)?.muted && seatOf(state, user)?.muted === false) this.#takeOffNow();
  }

  #open() {
    if (this.#draw(this.#room.state)) this.#sheet.showModal();
  }

  /** @param {State} state */
  draw(state) {
    this.#acts.draw(state);
    if (this.#sheet.open) this.#draw(state);
  }

  /**
   * Keep an open card true; false if the person has no seat any more (then it closes).
   * @param {State} state
   */
  #draw(state) {
    const seat = seatOf(state, this.#acts.user);
    const person = seat ?? this.#room.faces.get(this.#acts.user);
    if (!person) {
      this.#sheet.close();
      catchFocus(find("#main")); // the seat from which the card was opened is gone, too
      return false;
    }
    const part = (/** @type {string} */ name) => find(`[data-person-${name}]`, HTMLElement, this.#sheet);
    drawAvatar(part("avatar"), person);
    part("name").textContent = person.name;
    const role = seat && seat.role !== "speaker" ? ` · ${say(seat.role)}` : "";
    const captions = seat?.captions_off ? ` · ${say("captions_off")}` : "";
    part("line").textContent = `@${person.user}${role} · ${say(seat ? microphoneWord(seat) : "listens")}${captions}`;
    const page = find("[data-person-page]", HTMLAnchorElement, this.#sheet);
    page.href = `/people/${encodeURIComponent(person.user)}/`;
    write(find("span", HTMLElement, page), say(person.user === state.you.user ? "own_page" : "their_page"));
    return true;
  }
}

/** @satisfies {import("room/types").Feature} */
export const personCard = {
  mount: (room) => new PersonCard(room),
};
