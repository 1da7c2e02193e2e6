// Messages between people, on a room's page: how many are unread, and the way to write to the person of the card.
import { tell } from "room/core/notices";
import { find } from "shared/dom";
import { showUnread } from "shared/unread";

/** @import { State } from "room/types" */

const BUNDLED = 2000; // ms: what arrives in them is read out as one number

/** Have it read out that messages arrived: how many are unread then. */
function tellUnread() {
  let timer = 0;
  let latest = "";
  document.addEventListener("unread", (event) => {
    const { count, before, words } = /** @type {CustomEvent} */ (event).detail;
    latest = words;
    if (count === 0) {
      clearTimeout(timer);
      timer = 0;
    } else if (count > before && timer === 0) {
      timer = setTimeout(() => {
        timer = 0;
        tell(latest);
      }, BUNDLED);
    }
  });
}

/**
 * The reader's part of the snapshot: how many messages are unread, and when that was counted, if a message said so.
 * @param {State} state
 */
const part = ({ you }) => /** @type {{ unread: number, unread_at?: number }} */ (you.parts);

/** @satisfies {import("room/types").Feature} */
export const messages = {
  unsequenced: {
    unread(state, { messages: unread, at }) {
      if (at < (part(state).unread_at ?? 0)) return state; // counted before the one that is shown
      return { ...state, you: { ...state.you, parts: { ...state.you.parts, unread, unread_at: at } } };
    },
  },
  mount(room) {
    const { user: you } = room.state.you;
    if (you === null) return {};
    const write = find("[data-person-write]", HTMLAnchorElement);
    room.addEventListener("person", (event) => {
      const user = /** @type {CustomEvent<string>} */ (event).detail;
      write.hidden = user === you;
      write.href = `/messages/@${encodeURIComponent(user)}/#id_body`;
    });
    find("[data-unread]", HTMLAnchorElement).target = "_blank"; // the room goes on
    const show = (/** @type {State} */ state) => showUnread({ messages: part(state).unread });
    show(room.state);
    tellUnread();
    return {
      follow(state, before) {
        if (part(state).unread !== part(before).unread) show(state);
      },
    };
  },
};
