// One's own microphone as the host's side has it: kept off, with a button that says why, or asked for.
import { labels } from "names";
import { notice } from "room/core/notices";
import { isOver, ownSeat } from "room/core/state";
import { say } from "shared/words";

/** @satisfies {import("room/types").Feature} */
export const heldMute = {
  mount: (room) => ({
    actions: { held: () => notice(say("held_why")) },
    messages: {
      unmute_asked({ by }) {
        const name = by && labels(room.state.seats).get(by);
        const text = name ? say("unmute_asked_by", { name }) : say("unmute_asked");
        // Another page of this person may have the microphone: it is not taken from that one in passing.
        if (room.elsewhere) notice(text);
        else notice(text, { label: say("unmute"), run: () => room.act("unmute") });
      },
    },
    follow(state, before) {
      if (isOver(state)) return;
      const [seat, was] = [ownSeat(state), ownSeat(before)];
      if (seat?.held && !was) notice(say("held_why")); // from an earlier seat in this room
      if (seat && !seat.held && was?.held) notice(say("held_lifted"));
    },
  }),
};
