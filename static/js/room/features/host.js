// The host: who it is, what happens while their connection is lost, and a hand-over to somebody else.
import { notice } from "room/core/notices";
import { isOver, ownSeat, seatOf, withRights, withRoom, withSeat } from "room/core/state";
import { find, findAll, write } from "shared/dom";
import { timeOfDay } from "shared/time";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { HostChanged } from "room/wire" */
/** @import { Mounted, State } from "room/types" */

const SPREAD = 2000; // ms over which listeners ask for a snapshot: hundreds do the same now

/**
 * @param {State} state
 * @param {string | null} lostAt
 * @param {string | null} endsAt
 * @param {string | null} handsOverAt
 */
function withHost(state, lostAt, endsAt, handsOverAt) {
  const next = withRoom(state, { host_ends_at: endsAt, host_hands_over_at: handsOverAt, host_lost_at: lostAt });
  return withSeat(next, state.room.host, { connected: !lostAt });
}

/**
 * @param {State} state
 * @param {HostChanged} data
 */
function handedOver(state, { host: handle, seats }) {
  const name = seats.find((seat) => seat.user === handle)?.name ?? handle;
  return withRights(withHost({ ...withRoom(state, { host: handle, host_name: name }), seats }, null, null, null));
}

/** @implements {Mounted} */
class Host {
  #room;
  #banner = find("[data-banner]");

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
  }

  /** @param {State} state */
  draw(state) {
    const { host_ends_at: ends, host_hands_over_at: handsOver, host, host_name: name } = state.room;
    const due = handsOver ?? ends;
    this.#banner.hidden = !due || isOver(state);
    const words = handsOver ? "host_lost_heir" : "host_lost";
    if (due) write(find("span", HTMLElement, this.#banner), say(words, { time: timeOfDay(due) }));
    for (const place of findAll("[data-host]")) {
      write(find("bdi", HTMLElement, place), name);
      write(find(".soft", HTMLElement, place), `@${host}`);
      for (const link of place.querySelectorAll("a")) link.href = `/people/${encodeURIComponent(host)}/`;
    }
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isOver(state)) return;
    if (state.room.host !== before.room.host) this.#changed(state, before);
    else if (before.room.host_lost_at && !state.room.host_lost_at) notice(say("host_back"));
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  #changed(state, before) {
    const { host, host_name: name } = state.room;
    const { user, parts } = state.you;
    const isFormer = user === before.room.host && seatOf(state, user)?.role === "cohost";
    if (user === host) notice(say("host_you"));
    else notice(say(isFormer ? "host_now_former" : "host_now", { name }));
    // Whom the new host follows and blocks is in a snapshot alone; nothing of it is about people without an account.
    if (user === null || parts !== before.you.parts) return;
    setTimeout(() => this.#ask(), ownSeat(state) ? 0 : Math.random() * SPREAD);
  }

  #ask() {
    this.#room.ask("snapshot").catch((refused) => console.info("snapshot", refused.code));
  }
}

/** @satisfies {import("room/types").Feature} */
export const host = {
  reduce: {
    host_lost: (state, { lost_at, ends_at, hands_over_at }) => withHost(state, lost_at, ends_at, hands_over_at),
    host_back: (state) => withHost(state, null, null, null),
    host_changed: handedOver,
  },
  mount: (room) => new Host(room),
};
