// The room's title, which moderators may take down while the room is live.
import { withRoom } from "room/core/state";
import { findAll, write } from "shared/dom";
import { retitle } from "shared/unread";

/** @satisfies {import("room/types").Feature} */
export const title = {
  reduce: {
    title_changed: (state, { title }) => withRoom(state, { title }),
  },
  mount(room) {
    return {
      draw({ room: { title: shown } }) {
        if (shown === room.page.title) return;
        retitle(room.page.title, shown);
        room.page.title = shown;
        for (const place of findAll("[data-title]")) write(place, shown);
      },
    };
  },
};
