// The room's beginning and its end: the host ends it, and the table is left with why, and where to go.
import { tell } from "room/core/notices";
import { isOver, ownSeat } from "room/core/state";
import { clone, find, findAll, write } from "shared/dom";
import { known, say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Local, Mounted, State } from "room/types" */

const NOTHING_MORE = {
  take_seat: false,
  why_not: "room_ended",
  end: false,
  manage: false,
};

/**
 * The state of a room that ended: nobody sits there, nobody may do anything.
 * @param {State} state
 * @param {string} reason
 * @param {string | null} endedAt
 * @returns {State}
 */
function ended(state, reason, endedAt) {
  return {
    ...state,
    seats: [],
    talking: new Set(),
    room: {
      ...state.room,
      status: "ended",
      end_reason: reason,
      ended_at: endedAt,
      host_lost_at: null,
      host_ends_at: null,
      host_hands_over_at: null,
      recording_paused_at: null,
    },
    you: { ...state.you, may: { ...state.you.may, ...NOTHING_MORE } },
  };
}

/** @param {State} state */
function whyEnded({ room: { end_reason: reason } }) {
  const key = `ended_${reason}`;
  return known(key) ? say(key) : "";
}

/** @implements {Mounted} */
class Lifetime {
  #room;
  /** Whether the reader's voice may be in the recording, as far as this page saw: the server measures whether it is. */
  #hasSpoken = false;
  /** Whether the reader was host or co-host until the end: they may hear it again whatever they said. */
  #helped = false;
  #firstHost;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#firstHost = room.state.room.host;
  }

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { out }) {
    return out || isOver(state) || !state.you.may.end ? [] : ["end"];
  }

  actions = { end: () => this.#end() };

  #end() {
    const sheet = find("#end-sheet", HTMLDialogElement);
    sheet.returnValue = "";
    sheet.onclose = () => sheet.returnValue === "end" && this.#room.attempt(() => this.#room.ask("end"));
    sheet.showModal();
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (!isOver(state) || isOver(before)) return;
    this.#room.finish();
    tell(say("room_over"));
  }

  /** @param {State} state */
  draw(state) {
    this.#hasSpoken ||= ownSeat(state)?.muted === false;
    if (isOver(state)) this.#leaveTable(state);
    else this.#helped = state.you.may.manage;
  }

  /** @param {State} state */
  #leaveTable(state) {
    const table = find("[data-table]");
    if (table.classList.contains("over")) return;
    table.classList.add("over");
    const [title, why] = [find("[data-on-table]"), find("[data-who-talks]")];
    write(title, say("ended"));
    title.removeAttribute("lang");
    write(why, whyEnded(state));
    title.after(why);
    this.#showOnward(why, state);
    const live = find("[data-live]");
    live.classList.remove("live");
    live.textContent = say("ended_short");
    for (const part of findAll("[data-while-live]")) part.hidden = true;
  }

  /**
   * @param {Element} after
   * @param {State} state
   */
  #showOnward(after, { room, you }) {
    const onward = clone("[data-onward]");
    const isHost = you.user === room.host;
    const others = isHost ? "[data-onward-guest]" : "[data-onward-host]";
    for (const part of findAll(others, onward)) part.remove();
    // It is about the host whom the page was made with.
    if (isHost || room.host !== this.#firstHost) find("[data-onward-follow]", HTMLElement, onward).remove();
    if (!this.#hasSpoken && !this.#helped) {
      find("[data-replay]", HTMLElement, onward).remove();
      find("a", HTMLElement, onward).classList.add("main");
    }
    after.after(...onward.children);
    const [first] = findAll("a, button", find("[data-table]"));
    first?.setAttribute("aria-describedby", after.id);
    first?.focus();
  }
}

/** @satisfies {import("room/types").Feature} */
export const lifetime = {
  reduce: {
    room_opened: (state) => state,
    room_ended: (state, { reason, ended_at }) => ended(state, reason, ended_at),
  },
  mount: (room) => new Lifetime(room),
};
