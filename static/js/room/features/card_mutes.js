// What host and co-hosts do about another's microphone beside muting it once: keep it off, end that, ask for it.
import { CardActs } from "room/core/card";
import { notice } from "room/core/notices";
import { mayActOn } from "room/core/state";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { SeatState } from "room/wire" */

/**
 * @param {Room} room
 * @param {"hold_mute" | "lift_mute" | "ask_unmute"} verb also the key of the sentence that says it is done
 * @param {(seat: SeatState) => boolean} fits
 * @returns {import("room/core/card").Act}
 */
function act(room, verb, fits) {
  return {
    fits: (seat, state) => mayActOn(state, seat) && fits(seat),
    run: async (user, name) => {
      if (await room.attempt(() => room.ask(verb, { user }))) notice(say(verb, { name }));
    },
  };
}

/** @satisfies {import("room/types").Feature} */
export const cardMutes = {
  mount(room) {
    if (room.state.you.user === null) return {};
    return new CardActs(room, {
      hold_mute: act(room, "hold_mute", ({ held }) => !held),
      lift_mute: act(room, "lift_mute", ({ held }) => held),
      ask_unmute: act(room, "ask_unmute", ({ connected, muted, held }) => connected && muted && !held),
    });
  },
};
