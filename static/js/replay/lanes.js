// A lane for each voice: when they talked, by their own tracks, or by the transcript where nothing is drawn yet.
import { isolated } from "names";
import { find, write } from "shared/dom";

/** @import { Player } from "replay/player" */
/** @import { Lane, Line, Peaks, Voice } from "replay/types" */

const SVG = "http://www.w3.org/2000/svg";

export class Lanes {
  #player;
  #turns;
  /** @type {Lane[]} */
  lanes;

  /**
   * @param {HTMLElement} root
   * @param {Player} player
   * @param {Voice[]} voices
   * @param {Peaks | null} peaks
   * @param {Line[]} lines
   */
  constructor(root, player, voices, peaks, lines) {
    this.#player = player;
    this.lanes = voices.map((voice) => ({
      ...voice,
      element: find(`[data-lane="${voice.user}"]`, HTMLElement, root),
      talks: peaks ? tracksOf(voice, peaks) : linesOf(voice, lines),
    }));
    this.#turns = this.lanes
      .flatMap((lane) => lane.talks.map(([from, to]) => ({ from, to, lane })))
      .sort((one, other) => one.from - other.from);
    this.draw();
    player.addEventListener("time", () => this.#show());
    root.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Draw every lane, by the length of the recording that is known now. */
  draw() {
    const all = this.#player.all || 1;
    for (const lane of this.lanes) {
      const stretches = lane.talks.map(([from, to]) => {
        const rect = document.createElementNS(SVG, "rect");
        rect.setAttribute("x", String((1000 * from) / all));
        rect.setAttribute("width", String(Math.max(1.5, (1000 * (to - from)) / all)));
        rect.setAttribute("y", "1");
        rect.setAttribute("height", "8");
        return rect;
      });
      find("svg", SVGElement, lane.element).replaceChildren(...stretches);
    }
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const picture = event.target instanceof Element ? event.target.closest("svg") : null;
    if (!picture) return;
    const box = picture.getBoundingClientRect();
    this.#player.seek(((event.clientX - box.left) / box.width) * this.#player.all);
  }

  /**
   * Who talks at a moment.
   * @param {number} at
   */
  #talking(at) {
    return this.lanes.filter((lane) => lane.talks.some(([from, to]) => from <= at && at < to));
  }

  #show() {
    const talking = this.#talking(this.#player.now);
    for (const lane of this.lanes) lane.element.toggleAttribute("data-talking", talking.includes(lane));
    write(find("[data-who-now]"), talking.map((lane) => isolated(lane.name)).join(", "));
  }

  /** Where somebody else begins to talk; null behind the last turn. */
  next() {
    const { now } = this.#player;
    const talking = this.#talking(now);
    const turn = this.#turns.find(({ from, lane }) => from > now + 0.3 && !talking.includes(lane));
    return turn ? Math.max(0, turn.from - 0.2) : null;
  }
}

/**
 * @param {Voice} voice
 * @param {Peaks} peaks
 * @returns {[number, number][]}
 */
function tracksOf(voice, peaks) {
  const talks = peaks.lanes.filter((one) => voice.seats.includes(one.seat)).flatMap((one) => one.talks);
  return talks
    .map(([from, to]) => /** @type {[number, number]} */ ([from / 1000, to / 1000]))
    .sort((a, b) => a[0] - b[0]);
}

/**
 * @param {Voice} voice
 * @param {Line[]} lines
 * @returns {[number, number][]}
 */
function linesOf(voice, lines) {
  return lines.filter((line) => line.user === voice.user).map((line) => [line.from, line.to]);
}
