// Who may take a seat unasked.
import { withRights, withRoom } from "room/core/state";

/** @satisfies {import("room/types").Feature} */
export const speakPolicy = {
  reduce: {
    speak_policy_set: (state, { policy }) => withRights(withRoom(state, { speak_policy: policy })),
  },
};
