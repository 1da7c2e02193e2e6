// The line to the room: what the page says while it is lost, and when it is closed for good.
import { clearNotice, notice } from "shared/notice";
import { known, say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Final } from "room/core/socket" */

const TOO_MANY = 4429;
const NOT_ALLOWED = 4403;

/**
 * @param {Room} room
 * @param {Final} closed
 */
function putOut(room, { code, reason, text }) {
  room.finish();
  room.out = reason ?? (code === NOT_ALLOWED ? "not_allowed" : "gone");
  room.draw();
  const sentence = `out_${room.out}`;
  notice(known(sentence) ? say(sentence) : text || say("gone"), { stays: true });
}

/** @satisfies {import("room/types").Feature} */
export const connection = {
  mount(room) {
    let wasLost = false;
    room.socket.addEventListener("lost", (event) => {
      wasLost = true;
      room.dispatch({ type: "silent", users: [...room.state.talking] });
      const why = /** @type {CustomEvent<number>} */ (event).detail === TOO_MANY ? "too_many" : "reconnecting";
      notice(say(navigator.onLine ? why : "offline"), { stays: true });
    });
    room.socket.addEventListener("open", () => {
      if (!wasLost) return;
      wasLost = false;
      for (const why of ["offline", "reconnecting", "too_many"]) clearNotice(say(why));
    });
    room.socket.addEventListener("final", (event) => putOut(room, /** @type {CustomEvent<Final>} */ (event).detail));
    return {};
  },
};
