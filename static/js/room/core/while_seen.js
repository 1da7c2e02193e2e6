// Reading the audience again while it is looked at: when its size changed, at most once in a while.
import { find } from "shared/dom";

const SOON = 1000; // ms between two readings where the server says that this list changed

/**
 * Calls `read` when the list is in sight and something changed, at most every `pause()` milliseconds.
 */
export class WhileSeen {
  #read;
  #pause;
  #isSeen = false;
  #isDue = true;
  #isSoon = false;
  #readAt = 0;
  #timer = 0;

  /**
   * @param {string} selector of the element that is looked at
   * @param {() => unknown} read
   * @param {() => number} pause
   */
  constructor(selector, read, pause) {
    this.#read = read;
    this.#pause = pause;
    new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)?.isIntersecting ?? false;
      this.#go();
    }).observe(find(selector));
    document.addEventListener("visibilitychange", () => this.#go());
  }

  /**
   * Something changed.
   * @param {boolean} isSoon whether this very list did
   */
  due(isSoon = false) {
    this.#isDue = true;
    this.#isSoon ||= isSoon;
    this.#go();
  }

  #go() {
    clearTimeout(this.#timer);
    if (!this.#isSeen || !this.#isDue || document.hidden) return;
    const left = this.#readAt + (this.#isSoon ? SOON : this.#pause()) - Date.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#go(), left);
      return;
    }
    this.#isDue = this.#isSoon = false;
    this.#readAt = Date.now();
    this.#read();
  }
}
