// The page's one live region ([data-told]): what screen readers read out, politely, beside what they are at.
import { find, write } from "shared/dom";

const SOON = 250; // ms within which sentences are read out as one text: a second write would cut off the first
const READ = 10_000; // ms after which the region is emptied, so that the same sentence can be read out again

/** @type {string[]} */
let waiting = [];
let timer = 0;

function flush() {
  write(find("[data-told]"), waiting.join(" "));
  waiting = [];
  timer = setTimeout(() => write(find("[data-told]"), ""), READ);
}

/**
 * Have a sentence read out.
 * @param {string} text
 */
export function tell(text) {
  if (waiting.includes(text)) return;
  if (waiting.length === 0) {
    clearTimeout(timer);
    timer = setTimeout(flush, SOON);
  }
  waiting.push(text);
}
