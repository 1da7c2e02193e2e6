// The room's title and topic, which moderators may take down together while the room is live.
import { isOver, withRoom } from "room/core/state";
import { findAll, write } from "shared/dom";
import { retitle } from "shared/unread";
import { say } from "shared/words";

/** @satisfies {import("room/types").Feature} */
export const title = {
  reduce: {
    title_changed: (state, { title, topic, removed }) => withRoom(state, { title, topic, title_removed: removed }),
  },
  mount(room) {
    /** @param {string} shown @param {string} language */
    function drawTitle(shown, language) {
      if (shown === room.page.title) return;
      retitle(room.page.title, shown);
      room.page.title = shown;
      for (const place of findAll("[data-title]")) {
        write(place, shown);
        place.lang = language;
      }
    }
    return {
      draw(state) {
        const { title, title_removed: removed, topic, language } = state.room;
        drawTitle(removed ? say("title_removed") : title, removed ? document.documentElement.lang : language);
        for (const place of findAll("[data-topic]")) {
          if (place.matches("[data-on-table]") && isOver(state)) continue; // says there that the room has ended
          write(place, topic);
          place.hidden = topic === "" && !place.matches("[data-on-table]");
        }
      },
    };
  },
};
