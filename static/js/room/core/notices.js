// What the page tells its reader, above the bar: side by side, so that no sentence takes the place of another. They stand
// in the page's one live region, as the banners do: screen readers read out, politely, what is added to it.
import { find } from "shared/dom";

const SHOWN = 6000; // ms
export const ACTION_SHOWN = 8000; // ms for one that has a button
const LONGER = 2000; // ms more, as long as the pointer or the focus is on it
const READ = 10_000; // ms that a sentence for screen readers alone stays in the page
const MOST = 3; // passing ones at once: the oldest gives way

/**
 * What is shown, oldest first. `key` names a standing one.
 * @type {{ text: string, line: HTMLElement, timer: number, key: string }[]}
 */
let shown = [];

/** @param {string} text */
function remove(text) {
  for (const { line, timer } of shown.filter((one) => one.text === text)) {
    clearTimeout(timer);
    line.remove();
  }
  shown = shown.filter((one) => one.text !== text);
}

/**
 * @param {string} text
 * @param {string} key
 */
function add(text, key) {
  remove(text);
  const line = document.createElement("p");
  line.className = "notice";
  line.append(text);
  const one = { text, line, timer: 0, key };
  shown.push(one);
  find("[data-notice]").append(line);
  return one;
}

/**
 * Have a sentence read out that is not shown: for what one sees anyway.
 * @param {string} text
 */
export function tell(text) {
  const line = document.createElement("p");
  line.className = "unseen";
  line.textContent = text;
  find("[data-notice]").append(line);
  setTimeout(() => line.remove(), READ);
}

/**
 * Show a sentence for a while.
 * @param {string} text
 * @param {{ label: string, run: () => void }} [action] a button in it
 */
export function notice(text, action) {
  const one = add(text, "");
  const end = () => {
    if (one.line.matches(":hover, :focus-within")) one.timer = setTimeout(end, LONGER);
    else remove(text);
  };
  one.timer = setTimeout(end, action ? ACTION_SHOWN : SHOWN);
  if (action) {
    const button = document.createElement("button");
    button.className = "notice-do";
    button.type = "button";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      remove(text);
      find("#main").focus({ preventScroll: true }); // the button that had the focus is gone
      action.run();
    });
    one.line.append(button);
  }
  const passing = shown.filter((other) => !other.key);
  if (passing.length > MOST) remove(passing[0].text);
}

/**
 * Show a sentence until `clear(key)`, or until another one of the same key.
 * @param {string} key
 * @param {string} text
 */
export function stand(key, text) {
  if (shown.some((one) => one.key === key && one.text === text)) return;
  clear(key);
  add(text, key);
}

/**
 * `stand`, and the focus on the sentence: for what takes away all that one could do.
 * @param {string} key
 * @param {string} text
 */
export function standFocused(key, text) {
  clear(key);
  const { line } = add(text, key);
  line.tabIndex = -1;
  line.focus();
}

/** @param {string} key */
export function clear(key) {
  for (const one of shown.filter((other) => other.key === key)) remove(one.text);
}

export function clearAll() {
  for (const { text } of [...shown]) remove(text);
}
