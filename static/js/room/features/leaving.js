// Leaving the room: the seat is free and the line closed before the page goes, and who speaks or hosts is asked first.
import { isOver, ownSeat } from "room/core/state";
import { find, hit } from "shared/dom";

/** @import { Room } from "room/core/room" */
/** @import { Local, Mounted, State } from "room/types" */

const PATIENCE = 1500; // ms to wait for the seat to be free

/**
 * The link by which a click leaves this page, in this tab; null for every other click.
 * @param {MouseEvent} event
 * @returns {HTMLAnchorElement | null}
 */
function linkAway(event) {
  const link = hit(event, "a[href]");
  if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  if ((link.target && link.target !== "_self") || link.hasAttribute("download")) return null;
  const samePage = link.pathname === location.pathname && link.search === location.search && link.hash;
  return samePage ? null : link;
}

/** @implements {Mounted} */
class Leaving {
  #room;
  #sheet = find("#leave-sheet", HTMLDialogElement);
  #gone = false;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("submit", (event) => {
      if (hit(event, "form[data-comes-back]")) this.#gone = true;
    });
    addEventListener("beforeunload", (event) => {
      if (!this.#gone && this.#isIn && (this.#isHost || this.#speaks)) event.preventDefault();
    });
    // The browser kept the page that was left, and shows it again: its line is closed for good.
    addEventListener("pageshow", (event) => event.persisted && this.#gone && location.reload());
  }

  get #isIn() {
    return !this.#room.out && !isOver(this.#room.state);
  }

  get #isHost() {
    return this.#room.state.you.user === this.#room.state.room.host;
  }

  /** Whether a co-host is there to whom the room goes. */
  get #hasHelp() {
    return this.#room.state.seats.some((seat) => seat.role === "cohost" && seat.connected);
  }

  get #speaks() {
    return this.#room.stage.state !== "off" && ownSeat(this.#room.state)?.muted === false;
  }

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { out }) {
    return out || isOver(state) || !state.you.may.end ? ["leave"] : [];
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = linkAway(event);
    const sits = ownSeat(this.#room.state) !== undefined && !this.#room.elsewhere;
    const byLeave = link?.dataset.do === "leave";
    if (!link || !this.#isIn || !(byLeave || sits || this.#isHost)) return;
    event.preventDefault();
    if (this.#isHost || this.#speaks || (sits && !byLeave)) this.#ask(link.href, byLeave);
    else this.#go(link.href, byLeave);
  }

  /**
   * @param {string} address
   * @param {boolean} byLeave whether the button was pressed, and not another link
   */
  #ask(address, byLeave) {
    const sheet = this.#sheet;
    for (const [part, isShown] of [
      ["host", this.#isHost && !this.#hasHelp],
      ["handed-over", this.#isHost && this.#hasHelp],
      ["speaker", !this.#isHost],
    ])
      find(`[data-leave-${part}]`, HTMLElement, sheet).hidden = !isShown;
    find("[data-leave-end]", HTMLElement, sheet).hidden = !this.#room.state.you.may.end;
    sheet.returnValue = "";
    sheet.onclose = () => {
      if (sheet.returnValue === "leave") this.#go(address, byLeave);
      if (sheet.returnValue === "end") this.#room.attempt(() => this.#room.ask("end"));
    };
    sheet.showModal();
  }

  /**
   * The host keeps the seat: the room waits for them. Another page of the same person keeps it, too, and their hand.
   * @param {string} address
   * @param {boolean} byLeave as in `#ask`
   */
  async #go(address, byLeave) {
    const room = this.#room;
    const givesUp = ownSeat(room.state) && !this.#isHost && !room.elsewhere;
    this.#gone = true;
    if (room.stage.state !== "off") room.socket.tell("speak_stop");
    room.stage.close();
    room.audience.stop();
    if (givesUp) {
      await room.ask("leave_seat", {}, PATIENCE).catch((refused) => console.info("leave_seat", refused.code));
    }
    if (byLeave) room.socket.tell("leave");
    room.socket.close();
    location.assign(address);
  }
}

/** @satisfies {import("room/types").Feature} */
export const leaving = {
  mount: (room) => new Leaving(room),
};
