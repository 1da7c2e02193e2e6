// The recording pauses while the disk is full, and goes on.
import { notice } from "room/core/notices";
import { isOver, withRoom } from "room/core/state";
import { find } from "shared/dom";
import { say } from "shared/words";

/** @satisfies {import("room/types").Feature} */
export const recordingPause = {
  reduce: {
    recording_paused: (state, { paused_at }) => withRoom(state, { recording_paused_at: paused_at }),
    recording_resumed: (state) => withRoom(state, { recording_paused_at: null }),
  },
  mount: () => ({
    draw({ room }) {
      find("[data-paused]").hidden = !room.recording_paused_at;
    },
    follow(state, before) {
      const resumed = before.room.recording_paused_at && !state.room.recording_paused_at;
      if (resumed && !isOver(state)) notice(say("recording_resumed"));
    },
  }),
};
