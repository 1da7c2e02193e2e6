// The host's connection: while it is lost, the page says when the room ends.
import { isOver, withRoom, withSeat } from "room/core/state";
import { find, write } from "shared/dom";
import { timeOfDay } from "shared/time";
import { say } from "shared/words";

/**
 * @param {import("room/types").State} state
 * @param {string | null} lostAt
 * @param {string | null} endsAt
 */
function withHost(state, lostAt, endsAt) {
  const next = withRoom(state, { host_ends_at: endsAt, host_lost_at: lostAt });
  return withSeat(next, state.room.host, { connected: !endsAt });
}

/** @satisfies {import("room/types").Feature} */
export const host = {
  reduce: {
    host_lost: (state, { lost_at, ends_at }) => withHost(state, lost_at, ends_at),
    host_back: (state) => withHost(state, null, null),
  },
  mount: () => ({
    draw(state) {
      const ends = state.room.host_ends_at;
      const banner = find("[data-banner]");
      banner.hidden = !ends || isOver(state);
      if (ends) write(find("span", HTMLElement, banner), say("host_lost", { time: timeOfDay(ends) }));
    },
  }),
};
