// Clips of the last minute, for host and co-hosts, in the panel.
import { notice, tell } from "room/core/notices";
import { isOver } from "room/core/state";
import { WhileSeen } from "room/core/while_seen";
import { ApiRefused, api } from "shared/api";
import { ClipList } from "shared/clip_list";
import { find, findAll } from "shared/dom";
import { say } from "shared/words";

const PAUSE = 15000; // ms between two readings of the list by itself

/** @satisfies {import("room/types").Feature} */
export const panelClips = {
  mount(room) {
    const [panel] = findAll("[data-panel-clips]"); // not for readers who are signed out
    if (!panel) return {};
    const { slug } = room.page;
    const list = new ClipList(panel, slug, tell);
    new WhileSeen(
      "[data-panel-clips]",
      () => room.manages && list.load(),
      () => PAUSE,
    );
    const make = find("[data-clip-make]", HTMLButtonElement, panel);
    make.addEventListener("click", async () => {
      const seconds = Number(find("[data-clip-last]", HTMLSelectElement, panel).value);
      const kind = find("[data-clip-kind]", HTMLSelectElement, panel).value;
      make.disabled = true;
      try {
        await api("POST", `rooms/${slug}/clips/`, { kind, last_ms: seconds * 1000 });
        notice(say("clip_asked"));
        await list.load();
      } catch (error) {
        const fields = error instanceof ApiRefused ? Object.values(error.fields) : [];
        notice(error instanceof ApiRefused ? [error.message, ...fields].join(" ") : say("clip_failed"));
      } finally {
        make.disabled = false;
      }
    });
    return {
      draw(state) {
        panel.hidden = !room.manages || isOver(state);
      },
    };
  },
};
