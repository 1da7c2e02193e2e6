// Acts on a person, as buttons of their card (templates/pages/card_*.html): each is there while it makes sense. Their
// features stand before the card in features/all.js, so that it opens, and takes the focus, with what fits.
import { nameOf, seatOf } from "room/core/state";
import { find, hit } from "shared/dom";

/** @import { SeatState } from "room/wire" */
/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/**
 * `fits` says whether the card of this seat offers the act; `run` does it, once the card is closed.
 * @typedef {object} Act
 * @property {(seat: SeatState, state: State) => boolean} fits
 * @property {(user: string, name: string) => unknown} run
 */

/** @implements {Mounted} */
export class CardActs {
  #sheet = find("#person-sheet", HTMLDialogElement);
  #acts;
  #user = "";

  /**
   * @param {Room} room
   * @param {Record<string, Act>} acts by the `data-card-do` of their button
   */
  constructor(room, acts) {
    this.#acts = acts;
    room.addEventListener("person", (event) => {
      this.#user = /** @type {CustomEvent<string>} */ (event).detail;
      this.draw(room.state);
    });
    this.#sheet.addEventListener("click", (event) => {
      const act = acts[hit(event, "[data-card-do]")?.dataset.cardDo ?? ""];
      if (!act) return;
      this.#sheet.close();
      act.run(this.#user, nameOf(room.state, this.#user));
    });
  }

  /** @param {State} state */
  draw(state) {
    const seat = seatOf(state, this.#user);
    for (const [name, { fits }] of Object.entries(this.#acts)) {
      const button = find(`[data-card-do="${name}"]`, HTMLElement, this.#sheet);
      const hadFocus = button === document.activeElement;
      button.hidden = !seat || !fits(seat, state);
      if (hadFocus && button.hidden) find("form button", HTMLElement, this.#sheet).focus();
    }
  }
}
