// Listening: the sound of those who are not on stage, by the bar, by a lock screen, and anew when it broke.
import { describe } from "shared/media_session";

/** @satisfies {import("room/types").Feature} */
export const listening = {
  mount({ audience, stage, page }) {
    const start = () => audience.start();
    const stop = () => audience.stop();
    addEventListener("online", () => (stage.state === "off" ? audience.restart(200) : stage.reconnect()));
    return {
      begin: () => describe(page, { play: start, pause: stop, stop }),
      actions: { listen: start, sound: () => (audience.isOn ? stop() : start()) },
      messages: { media_restarted: () => (stage.state === "off" ? audience.restart() : stage.reconnect()) },
    };
  },
};
