// Reactions over the table: they rise and fade; where the reader wants no motion they are counted beside their emoji.
import { byKind, sprites, times, toned } from "room/core/reactions";
import { find, findAll } from "shared/dom";

/** @import { Counts, Sprite } from "room/core/reactions" */

const MOST = 20; // at the same time
const MOST_A_TICK = 6;
const TICK = 1000; // ms over which what came with a tick begins to rise
const GONE = 4000; // ms after which it is away whatever the browser says of its animation
const COUNTED = 4000; // ms that a number stands still

/** @param {string} text */
function span(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

export class Risen {
  #box = find("[data-risen]");
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #emoji;
  #isLeft = false; // where the last one rose
  /** @type {Map<string, { element: HTMLElement, number: number, timer: number }>} what stands still, by kind */
  #counted = new Map();

  /** @param {ReadonlyMap<string, string>} emoji by kind */
  constructor(emoji) {
    this.#emoji = emoji;
    this.#still.addEventListener("change", () => findAll(".sprite", this.#box).forEach((sprite) => sprite.remove()));
  }

  /**
   * @param {Counts} counts
   * @param {number} within ms over which they begin
   */
  show(counts, within = TICK) {
    if (document.hidden) return; // nobody sees it, and the browser would show all at once afterwards
    if (this.#still.matches) for (const [kind, many] of byKind(counts)) this.#count(kind, many);
    else {
      const all = sprites(counts, MOST_A_TICK);
      all.forEach((sprite, place) => this.#rise(sprite, within, (place + Math.random() / 2) / all.length));
    }
  }

  clear() {
    for (const { timer } of this.#counted.values()) clearTimeout(timer);
    this.#counted.clear();
    this.#box.replaceChildren();
  }

  /**
   * Left and right of what lies on the table in turn.
   * @param {Sprite} sprite
   * @param {number} within ms over which those of a tick begin
   * @param {number} at when of it, 0 to 1
   */
  #rise({ kind, tone, number }, within, at) {
    const emoji = this.#emoji.get(kind);
    if (!emoji || this.#box.childElementCount >= MOST) return;
    const element = span(toned(emoji, tone));
    element.className = "sprite";
    if (number > 1) element.append(this.#number(number));
    this.#isLeft = !this.#isLeft;
    const aside = 12 * Math.random();
    element.style.setProperty("--from", `${this.#isLeft ? aside : 100 - aside}%`);
    element.style.setProperty("--drift", `${-12 + 24 * Math.random()}px`);
    element.style.setProperty("--wait", `${within * at}ms`);
    const end = () => element.remove();
    element.addEventListener("animationend", end);
    setTimeout(end, within + GONE);
    this.#box.append(element);
  }

  /**
   * @param {string} kind
   * @param {number} many
   */
  #count(kind, many) {
    const emoji = this.#emoji.get(kind);
    if (!emoji) return;
    const known = this.#counted.get(kind);
    const element = known?.element ?? span(emoji);
    const number = (known?.number ?? 0) + many;
    if (known) {
      clearTimeout(known.timer);
      element.lastElementChild?.remove();
    } else {
      element.className = "counted-reaction";
      this.#box.append(element);
    }
    element.append(this.#number(number));
    const end = () => {
      this.#counted.delete(kind);
      element.remove();
    };
    this.#counted.set(kind, { element, number, timer: setTimeout(end, COUNTED) });
  }

  /** @param {number} many */
  #number(many) {
    const element = span(times(many));
    element.className = "reaction-number";
    return element;
  }
}
