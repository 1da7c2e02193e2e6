// How many listen: the figures, and those who stand around the table.
import { find, write } from "shared/dom";
import { number, sayMany } from "shared/words";

/** @satisfies {import("room/types").Feature} */
export const listeners = {
  unsequenced: {
    count: (state, { listening }) => ({ ...state, listening }),
    beat: (state, { listening }) => ({ ...state, listening }),
  },
  mount: ({ page }) => ({
    draw({ listening }) {
      write(find("[data-listening]"), sayMany("listening", listening));
      write(find("[data-count]"), number(listening));
      find("[data-nobody]").hidden = listening > 0;
      const standing = find("[data-standing]");
      const wanted = Math.min(listening, page.standing);
      while (standing.children.length > wanted) standing.lastElementChild?.remove();
      while (standing.children.length < wanted) standing.append(document.createElement("i"));
    },
  }),
};
