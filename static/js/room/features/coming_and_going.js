// Who sat down and who stood up, for screen readers: told in one sentence, however many moved in the same moment.
import { labels } from "names";
import { tell } from "room/core/notices";
import { isOver } from "room/core/state";
import { say, sayMany } from "shared/words";

/** @import { Mounted, State } from "room/types" */

const BUNDLED = 2000; // ms

/**
 * @param {"sat" | "stood"} what
 * @param {string[]} names
 */
function sentence(what, names) {
  if (names.length === 1) return say(`${what}_one`, { name: names[0] });
  if (names.length === 2) return say(`${what}_two`, { name: names[0], other: names[1] });
  return sayMany(`${what}_many`, names.length);
}

/** @implements {Mounted} */
class ComingAndGoing {
  /** @type {Map<string, string>} names by handle */
  #sat = new Map();
  /** @type {Map<string, string>} */
  #stood = new Map();
  #timer = 0;

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (state.seats === before.seats) return;
    if (isOver(state)) return clearTimeout(this.#timer);
    this.#note(state, before, this.#sat, this.#stood);
    this.#note(before, state, this.#stood, this.#sat);
    clearTimeout(this.#timer);
    if (this.#sat.size + this.#stood.size > 0) this.#timer = setTimeout(() => this.#tell(), BUNDLED);
  }

  /**
   * Note who is in `here` and not in `there`; what takes back what was noted before is not told at all.
   * @param {State} here
   * @param {State} there
   * @param {Map<string, string>} noted
   * @param {Map<string, string>} opposite
   */
  #note(here, there, noted, opposite) {
    const others = new Set(there.seats.map((seat) => seat.user));
    for (const [user, name] of labels(here.seats)) {
      if (others.has(user) || user === here.you.user || opposite.delete(user)) continue;
      noted.set(user, name);
    }
  }

  #tell() {
    if (this.#sat.size > 0) tell(sentence("sat", [...this.#sat.values()]));
    if (this.#stood.size > 0) tell(sentence("stood", [...this.#stood.values()]));
    this.#sat.clear();
    this.#stood.clear();
  }
}

/** @satisfies {import("room/types").Feature} */
export const comingAndGoing = {
  mount: () => new ComingAndGoing(),
};
