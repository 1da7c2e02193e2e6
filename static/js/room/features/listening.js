// Listening: the sound of those who are not on stage, by the bar, by a lock screen, and anew when it broke.
import { describe } from "shared/media_session";

/** @satisfies {import("room/types").Feature} */
export const listening = {
  mount({ audience, stage, page }) {
    const start = () => audience.start();
    const stop = () => audience.stop();
    addEventListener("online", () => (stage.state === "off" ? audience.restart(200) : stage.reconnect()));
    const introduce = (/** @type {string} */ host) => describe({ ...page, host }, { play: start, pause: stop, stop });
    return {
      begin: () => introduce(page.host),
      follow({ room: { host_name: name } }, before) {
        if (name !== before.room.host_name) introduce(name);
      },
      actions: { listen: start, sound: () => (audience.isOn ? stop() : start()) },
      messages: { media_restarted: () => (stage.state === "off" ? audience.restart() : stage.reconnect()) },
    };
  },
};
