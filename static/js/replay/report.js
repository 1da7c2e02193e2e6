// The link by which one reports something: its form proposes what was heard last, or the part that is chosen on the
// picture of the sound or among the lines.
import { Range } from "replay/range";
import { find, write } from "shared/dom";
import { announce } from "shared/notice";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */

const BEFORE = 120; // s

/**
 * A button after which dragging over the waveform marks the part to report, once; without it, dragging moves the
 * position, as listeners expect.
 * @param {HTMLElement} wave
 * @param {Player} player
 */
export function markByHand(wave, player) {
  const button = find("[data-mark]", HTMLButtonElement);
  const marks = () => button.ariaPressed === "true";
  const part = () => (player.part?.to ? { from: player.part.from, to: player.part.to } : null);
  /** @param {number} from @param {number} to */
  const choose = (from, to) => {
    button.ariaPressed = "false";
    player.choose({ from, to });
  };
  const range = new Range(wave, player, { marks, range: part, choose, tell: announce });
  button.hidden = false;
  button.addEventListener("click", () => {
    button.ariaPressed = String(!marks());
    range.draw();
    if (marks()) announce(say("range_how"));
  });
}

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
