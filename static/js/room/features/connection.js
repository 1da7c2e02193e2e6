// The line to the room: what the page says while it is lost, when it is back, and when it is closed for good.
import { clear, notice, stand, standFocused } from "room/core/notices";
import { isOver, ownSeat } from "room/core/state";
import { find, write } from "shared/dom";
import { known, say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Final } from "room/core/socket" */
/** @import { State } from "room/types" */

const TOO_MANY = 4429;
const NOT_ALLOWED = 4403;

/**
 * @param {Room} room
 * @param {Final} closed
 */
function putOut(room, { code, reason, text }) {
  room.finish();
  room.lost = false;
  room.out = reason ?? (code === NOT_ALLOWED ? "not_allowed" : "gone");
  room.draw();
  const sentence = `out_${room.out}`;
  standFocused("out", known(sentence) ? say(sentence) : text || say("gone"));
}

/**
 * @param {Room} room
 * @param {number} code as WebSockets close with
 */
function lose(room, code) {
  room.lost = true;
  room.dispatch({ type: "silent", users: [...room.state.talking] });
  room.draw();
  stand("line", say(!navigator.onLine ? "offline" : code === TOO_MANY ? "too_many" : "reconnecting"));
}

/** @param {Room} room */
function comeBack(room) {
  if (!room.lost) return;
  room.lost = false;
  clear("line");
  room.draw();
  // Once the snapshot that came with it is taken in: it says whether the microphone is on, unless it was closed here
  // meanwhile, which the server hears only now.
  queueMicrotask(() => {
    if (isOver(room.state)) return;
    const seat = ownSeat(room.state);
    const onStage = seat && room.stage.state !== "off";
    notice(say(!onStage ? "back" : seat.muted || room.shut ? "back_muted" : "back_unmuted"));
  });
}

/** @satisfies {import("room/types").Feature} */
export const connection = {
  mount(room) {
    const live = find("[data-live]");
    room.socket.addEventListener("lost", (event) => lose(room, /** @type {CustomEvent<number>} */ (event).detail));
    room.socket.addEventListener("open", () => comeBack(room));
    room.socket.addEventListener("final", (event) => putOut(room, /** @type {CustomEvent<Final>} */ (event).detail));
    return {
      /** @param {State} state */
      draw(state) {
        if (isOver(state)) return;
        const isOut = room.lost || room.out !== null;
        live.classList.toggle("live", !isOut);
        write(live, say(isOut ? "not_connected" : "live"));
      },
    };
  },
};
