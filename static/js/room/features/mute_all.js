// Every open microphone off at once, by host or co-host.
import { register } from "room/core/keys";
import { notice } from "room/core/notices";
import { isOver } from "room/core/state";
import { find } from "shared/dom";
import { say, sayMany } from "shared/words";

/** @satisfies {import("room/types").Feature} */
export const muteAll = {
  mount(room) {
    const panel = find("[data-mute-all]");
    const muteAll = () =>
      room.attempt(async () => {
        const { muted } = await room.ask("mute_all");
        notice(muted > 0 ? sayMany("muted_all", muted) : say("muted_none"));
      });
    find("button", HTMLButtonElement, panel).addEventListener("click", muteAll);
    register({ key: "a", label: say("key_mute_all"), run: muteAll, when: () => room.manages });
    return {
      draw(state) {
        const { manage, end } = state.you.may;
        panel.hidden = !manage || isOver(state);
        find("[data-mute-all-host]", HTMLElement, panel).hidden = !end;
        find("[data-mute-all-cohost]", HTMLElement, panel).hidden = end;
      },
    };
  },
};
