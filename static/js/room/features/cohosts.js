// Who became co-host and who is no longer: in words to themselves, read out to the others, who see it at the table.
import { labels } from "names";
import { notice, tell } from "room/core/notices";
import { isOver } from "room/core/state";
import { say } from "shared/words";

/** @satisfies {import("room/types").Feature} */
export const cohosts = {
  mount: () => ({
    messages: {
      you_demoted: ({ seated }) => notice(say(seated ? "demoted_speaker" : "demoted_audience")),
    },
    follow(state, before) {
      // A hand-over swaps roles, too, and is told as that (features/host).
      if (state.seats === before.seats || isOver(state) || state.room.host !== before.room.host) return;
      const roles = new Map(before.seats.map(({ user, role }) => [user, role]));
      const called = labels(state.seats);
      for (const { user, role } of state.seats) {
        const change = `${roles.get(user)} ${role}`;
        const [isYou, name] = [user === state.you.user, called.get(user) ?? user];
        if (change === "speaker cohost") isYou ? notice(say("cohost_you")) : tell(say("cohost_now", { name }));
        if (change === "cohost speaker" && !isYou) tell(say("cohost_no_more", { name }));
      }
    },
  }),
};
