// The topic lies on the table, cut where the table is small: then a link leads to all of it.
import { isOver } from "room/core/state";
import { find } from "shared/dom";

/** @satisfies {import("room/types").Feature} */
export const topic = {
  mount(room) {
    const [text, link] = [find("[data-on-table]"), find("[data-read-all]")];
    const look = () => (link.hidden = isOver(room.state) || text.scrollHeight <= text.clientHeight + 2);
    new ResizeObserver(look).observe(text);
    return { draw: look };
  },
};
