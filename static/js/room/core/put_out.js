// What the dialogs share by which somebody is put out of the room.
import { find } from "shared/dom";

/** @import { Room } from "room/core/room" */
/** @import { State } from "room/types" */

/**
 * The offer to let in only people who are signed in from then on (templates/pages/still_heard.html): a room that is open
 * to anyone can be heard signed out.
 */
export class ClosingOffer {
  #room;
  #box;
  #tick;

  /**
   * @param {Room} room
   * @param {HTMLElement} sheet
   */
  constructor(room, sheet) {
    this.#room = room;
    this.#box = find("[data-still-heard]", HTMLElement, sheet);
    this.#tick = find("input", HTMLInputElement, this.#box);
  }

  /**
   * Show the offer, not taken yet, if the room is open to anyone.
   * @param {State} state
   * @param {boolean} isWanted whether the dialog is about somebody who is put out
   */
  show(state, isWanted = true) {
    this.#tick.checked = false;
    this.#box.hidden = !isWanted || state.room.entry_policy !== "anyone";
  }

  /** Whether the offer was taken. Read it before something else changes the dialog. */
  get isTaken() {
    return !this.#box.hidden && this.#tick.checked;
  }

  /** @returns {Promise<boolean>} whether the room is closed to people who are not signed in */
  close() {
    return this.#room.attempt(() => this.#room.ask("set_entry_policy", { policy: "signed_in" }));
  }
}

/**
 * Whether the focus is on the seat of somebody, or nowhere: it goes with them when they are put out. Ask before, since the
 * table may learn of it first and move the focus to another seat.
 * @param {string} user a handle
 */
export function losesFocus(user) {
  const focus = document.activeElement;
  const seat = focus?.closest("[data-user]");
  return focus === document.body || (seat instanceof HTMLElement && seat.dataset.user === user);
}
