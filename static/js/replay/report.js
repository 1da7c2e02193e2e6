// The link by which one reports something: its form proposes what was heard last, or the part that is chosen on the
// picture of the sound or among the lines.
import { find, write } from "shared/dom";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */

const BEFORE = 120; // s

/** @param {Player} player */
export function reportWhereItStands(player) {
  const link = find("[data-report]", HTMLAnchorElement);
  const label = find("[data-report-label]", HTMLElement, link);
  const plain = label.textContent;
  player.addEventListener("part", () => {
    const { part } = player;
    write(label, part?.to ? say("report_part", { from: clock(part.from), to: clock(part.to) }) : plain);
  });
  const follow = () => {
    const { part, now } = player;
    if (!part && now < 1) return; // nothing was heard: the page proposes the beginning
    const from = part ? part.from : Math.max(0, now - BEFORE);
    const to = part?.to ?? Math.max(now, from + 1);
    link.search = new URLSearchParams({ from: from.toFixed(1), to: to.toFixed(1) }).toString();
  };
  // Before a click, whatever makes it: the pointer, Enter, or a menu that copies the address.
  for (const kind of ["pointerdown", "focus", "click"]) link.addEventListener(kind, follow);
}
