// The host's connection: while it is lost, the page says when the room ends.
import { notice } from "room/core/notices";
import { isOver, withRights, withRoom, withSeat } from "room/core/state";
import { find, write } from "shared/dom";
import { timeOfDay } from "shared/time";
import { say } from "shared/words";

/**
 * @param {import("room/types").State} state
 * @param {string | null} lostAt
 * @param {string | null} endsAt
 * @param {string | null} handsOverAt
 */
function withHost(state, lostAt, endsAt, handsOverAt) {
  const next = withRoom(state, { host_ends_at: endsAt, host_hands_over_at: handsOverAt, host_lost_at: lostAt });
  return withSeat(next, state.room.host, { connected: !lostAt });
}

/** @satisfies {import("room/types").Feature} */
export const host = {
  reduce: {
    host_lost: (state, { lost_at, ends_at, hands_over_at }) => withHost(state, lost_at, ends_at, hands_over_at),
    host_back: (state) => withHost(state, null, null, null),
    host_changed: (state, { host: handle, seats }) =>
      withRights(withHost({ ...withRoom(state, { host: handle }), seats }, null, null, null)),
  },
  mount: () => ({
    draw(state) {
      const ends = state.room.host_ends_at;
      const banner = find("[data-banner]");
      banner.hidden = !ends || isOver(state);
      if (ends) write(find("span", HTMLElement, banner), say("host_lost", { time: timeOfDay(ends) }));
    },
    follow({ room }, before) {
      if (room.status !== "live") return;
      const sameHost = before.room.host === room.host;
      if (sameHost && before.room.host_lost_at && !room.host_lost_at) notice(say("host_back"));
    },
  }),
};
