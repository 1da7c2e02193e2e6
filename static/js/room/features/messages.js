// Messages between people, on a room's page: how many are unread, and the way to write to the person of the card.
import { find } from "shared/dom";
import { showUnread } from "shared/unread";

/** @satisfies {import("room/types").Feature} */
export const messages = {
  mount(room) {
    const { user: you } = room.state.you;
    if (you === null) return {};
    const write = find("[data-person-write]", HTMLAnchorElement);
    room.addEventListener("person", (event) => {
      const user = /** @type {CustomEvent<string>} */ (event).detail;
      write.hidden = user === you;
      write.href = `/messages/${encodeURIComponent(user)}/#id_body`;
    });
    find("[data-unread]", HTMLAnchorElement).target = "_blank"; // the room goes on
    return {
      messages: { unread: showUnread },
      follow({ you: { parts } }, before) {
        if (parts !== before.you.parts) showUnread({ messages: parts.unread });
      },
    };
  },
};
