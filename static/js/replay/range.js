// The range on a waveform: swept or dragged by its ends with mouse, finger or pen; its ends are sliders for keys.
import { find, findAll } from "shared/dom";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */
/** @import { Ends, RangeOptions } from "replay/types" */

const TAP = 5; // CSS pixels that a pointer may move and still only point at a moment
const SHORTEST = 1; // s
/** @type {Record<string, number>} seconds by key */
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

export class Range {
  #root;
  #player;
  #options;
  #span;
  #grips;
  #drawnFor = -1;
  /** @type {{ pointer: number, anchor: number, x: number, moved: boolean } | null} */
  #drag = null;
  /** @type {Ends | null} what the pointer would choose if it was let go now */
  #preview = null;

  /**
   * @param {HTMLElement} root the waveform
   * @param {Player} player
   * @param {RangeOptions} options
   */
  constructor(root, player, options) {
    this.#root = root;
    this.#player = player;
    this.#options = options;
    this.#span = find("[data-span]", HTMLElement, root);
    this.#grips = findAll("[data-grip]", root);
    root.addEventListener("pointerdown", (event) => this.#pressed(event));
    root.addEventListener("pointermove", (event) => this.#moved(event));
    root.addEventListener("pointerup", (event) => this.#released(event));
    root.addEventListener("lostpointercapture", () => this.#leave());
    for (const grip of this.#grips) grip.addEventListener("keydown", (event) => this.#stepped(grip, event));
    player.addEventListener("part", () => this.draw());
    player.addEventListener("time", () => player.all !== this.#drawnFor && this.draw());
    this.draw();
  }

  draw() {
    const ends = this.#preview ?? this.#options.range();
    const { all } = this.#player;
    this.#drawnFor = all;
    this.#root.toggleAttribute("data-marks", this.#options.marks());
    for (const part of [this.#span, ...this.#grips]) part.hidden = !ends || !all;
    if (!ends || !all) return;
    this.#span.style.left = `${(100 * ends.from) / all}%`;
    this.#span.style.width = `${(100 * (ends.to - ends.from)) / all}%`;
    for (const grip of this.#grips) {
      const at = grip.dataset.grip === "from" ? ends.from : ends.to;
      grip.style.left = `${(100 * at) / all}%`;
      grip.setAttribute("aria-valuemax", all.toFixed(1));
      grip.setAttribute("aria-valuenow", at.toFixed(1));
      grip.setAttribute("aria-valuetext", clock(at));
    }
  }

  /** @param {PointerEvent} event */
  #pressed(event) {
    const grip = event.target instanceof Element ? event.target.closest("[data-grip]") : null;
    if (event.button !== 0 || !event.isPrimary || !(grip || this.#options.marks())) return;
    const ends = this.#options.range();
    event.preventDefault();
    this.#root.setPointerCapture(event.pointerId);
    let anchor = this.#at(event);
    if (grip instanceof HTMLElement && ends) {
      anchor = grip.dataset.grip === "from" ? ends.to : ends.from;
      grip.focus({ preventScroll: true });
    }
    this.#drag = { pointer: event.pointerId, anchor, x: event.clientX, moved: false };
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.moved ||= Math.abs(event.clientX - drag.x) > TAP;
    if (!drag.moved) return;
    this.#preview = this.#between(drag.anchor, this.#at(event));
    this.draw();
  }

  /** @param {PointerEvent} event */
  #released(event) {
    const [drag, ends] = [this.#drag, this.#preview];
    if (!drag || event.pointerId !== drag.pointer) return;
    this.#leave();
    if (ends) this.#choose(ends, true);
    else if (!(event.target instanceof Element && event.target.closest("[data-grip]"))) this.#player.seek(drag.anchor);
  }

  /** Let go without choosing: the range is as before. A finger that scrolls the page ends here. */
  #leave() {
    this.#drag = null;
    if (!this.#preview) return;
    this.#preview = null;
    this.draw();
  }

  /**
   * @param {HTMLElement} grip
   * @param {KeyboardEvent} event
   */
  #stepped(grip, event) {
    const ends = this.#options.range();
    const step = STEPS[event.key];
    if (step === undefined || !ends || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // the page has these keys too
    const { from, to } = ends;
    const moved =
      grip.dataset.grip === "from"
        ? { from: Math.max(0, Math.min(from + step, to - SHORTEST)), to }
        : { from, to: Math.min(this.#player.all, Math.max(to + step, from + SHORTEST)) };
    this.#choose(moved, false);
  }

  /**
   * @param {Ends} ends
   * @param {boolean} told a slider that has the focus is read out by itself
   */
  #choose({ from, to }, told) {
    this.#options.choose(from, to);
    this.draw();
    if (told) this.#options.tell(say("range_set", { from: clock(from), to: clock(to) }));
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const { left, width } = this.#root.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / width)) * this.#player.all;
  }

  /**
   * @param {number} one
   * @param {number} other
   * @returns {Ends} in tenths of a second, at least SHORTEST apart
   */
  #between(one, other) {
    const from = Math.min(one, other, Math.max(0, this.#player.all - SHORTEST));
    const to = Math.min(Math.max(one, other, from + SHORTEST), Math.max(this.#player.all, SHORTEST));
    return { from: Math.round(from * 10) / 10, to: Math.round(to * 10) / 10 };
  }
}
