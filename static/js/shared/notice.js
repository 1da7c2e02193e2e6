// The page's line for what just happened ([data-notice], a status that screen readers read out).
import { find } from "shared/dom";

const SHOWN = 6000; // ms

let timer = 0;

/**
 * Show a sentence: for a while, or with `stays` until the next one.
 * @param {string} text
 * @param {{ stays?: boolean }} [options]
 */
export function notice(text, { stays = false } = {}) {
  const line = find("[data-notice]");
  clearTimeout(timer);
  line.textContent = text;
  line.hidden = !text;
  if (text && !stays) timer = setTimeout(() => (line.hidden = true), SHOWN);
}

/**
 * Take a sentence away, unless another one replaced it.
 * @param {string} text
 */
export function clearNotice(text) {
  if (find("[data-notice]").textContent === text) notice("");
}

/**
 * Have a sentence read out where the line itself is not seen: for what one sees anyway.
 * @param {string} text
 */
export function announce(text) {
  const line = document.querySelector("[data-notice]");
  if (!line) return;
  line.textContent = "";
  requestAnimationFrame(() => (line.textContent = text));
}
