// Parts of a person's card (templates/pages/card_*.html) that features draw: acts as buttons, each there while it makes
// sense, and what is said of the person.
import { seatOf } from "room/core/state";
import { find, hit, write } from "shared/dom";

/** @import { SeatState } from "room/wire" */
/** @import { Room } from "room/core/room" */
/** @import { Face, Mounted, State } from "room/types" */

/**
 * `fits` says whether the card of this seat offers the act, `fitsListener` whether that of a listener does (never,
 * without); `run` does it, once the card is closed. `word` is what the button's `<span>` says where that changes.
 * @typedef {object} Act
 * @property {(seat: SeatState, state: State) => boolean} fits
 * @property {(listener: Face, state: State) => boolean} [fitsListener]
 * @property {(user: string, name: string) => unknown} run
 * @property {(person: Face) => string} [word]
 */

/**
 * A part of the card, drawn by `show` when the card opens and by `draw` afterwards; the seat is undefined where nobody
 * sits (any more).
 * @implements {Mounted}
 */
export class CardPart {
  #show;
  /** Handle of the person whose card was opened last; "" before the first. */
  user = "";

  /**
   * @param {Room} room
   * @param {(seat: SeatState | undefined, state: State, user: string) => void} show
   */
  constructor(room, show) {
    this.#show = show;
    room.addEventListener("person", (event) => {
      this.user = /** @type {CustomEvent<string>} */ (event).detail;
      this.draw(room.state);
    });
  }

  /** @param {State} state */
  draw(state) {
    this.#show(seatOf(state, this.user), state, this.user);
  }
}

export class CardActs extends CardPart {
  /**
   * @param {Room} room
   * @param {Record<string, Act>} acts by the `data-card-do` of their button
   */
  constructor(room, acts) {
    const sheet = find("#person-sheet", HTMLDialogElement);
    const buttons = Object.entries(acts).map(([name, act]) => {
      return { ...act, button: find(`[data-card-do="${name}"]`, HTMLElement, sheet) };
    });
    super(room, (seat, state, user) => {
      const listener = seat ? undefined : room.faces.get(user);
      for (const { button, fits, fitsListener, word } of buttons) {
        const hadFocus = button === document.activeElement;
        const isOffered = seat ? fits(seat, state) : listener !== undefined && fitsListener?.(listener, state);
        button.hidden = !isOffered;
        const person = seat ?? listener;
        if (person && word) write(find("span", HTMLElement, button), word(person));
        if (hadFocus && button.hidden) find("form button", HTMLElement, sheet).focus();
      }
    });
    sheet.addEventListener("click", (event) => {
      const act = acts[hit(event, "[data-card-do]")?.dataset.cardDo ?? ""];
      if (!act) return;
      sheet.close();
      act.run(this.user, room.nameOf(this.user));
    });
  }
}
