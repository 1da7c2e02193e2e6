// Hands: who asks to speak.
import { withRoom } from "room/core/state";

/** @satisfies {import("room/types").Feature} */
export const hands = {
  reduce: {
    hands_locked: (state, { locked }) => withRoom(state, { hands_locked: locked }),
  },
};
