// Listening: the sound of those who are not on stage, by the bar, by a lock screen; and all sound anew when it broke.
import { describe } from "shared/media_session";

/** @import { Room } from "room/core/room" */

/**
 * Sound needs the line to connect: once that is open again, it does so at once. Where a router was the cause, no
 * browser says that the network was gone.
 * @param {Room} room
 */
function followLine({ socket, audience, stage }) {
  let hasMoved = false; // to another network, perhaps: what looks connected need not be
  addEventListener("online", () => (hasMoved = true));
  socket.addEventListener("open", () => {
    if (stage.state !== "off") {
      if (hasMoved || !stage.isConnected) stage.reconnect();
    } else if (hasMoved || !audience.isConnected) audience.restart(200);
    hasMoved = false;
  });
}

/** @satisfies {import("room/types").Feature} */
export const listening = {
  mount(room) {
    const { audience, stage, page } = room;
    const start = () => audience.start();
    const stop = () => audience.stop();
    followLine(room);
    const introduce = (/** @type {string} */ host) => describe({ ...page, host }, { play: start, pause: stop, stop });
    return {
      begin: () => introduce(page.host),
      follow({ room: { host_name: name } }, before) {
        if (name !== before.room.host_name) introduce(name);
      },
      actions: { listen: start, sound: () => (audience.isOn ? stop() : start()) },
      messages: {
        media_restarted: () => (stage.state === "off" ? audience.restart() : stage.reconnect()),
        beat: ({ list }) => audience.offer(list),
      },
    };
  },
};
