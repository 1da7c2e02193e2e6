// Single keys of the case page. Never while one types, never with Ctrl, Alt or the like, and not at all where they are
// turned off. No key decides: the last step is always a button.
import { clone, find, findAll, hit } from "shared/dom";
import { keepChoice, keptChoice } from "shared/kept";
import { say } from "shared/words";

const KEPT = "stamtafel.console_keys";
/** @type {Record<string, string>} */
const NAMES = { ArrowUp: "↑", ArrowDown: "↓" };
const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

/** @typedef {{ key: string, label: string, run: () => unknown, when?: () => boolean }} Key */

/** @param {Key[]} keys */
export function listenForKeys(keys) {
  const box = find("[data-uses-keys]", HTMLInputElement);
  const sheet = find("#keys-sheet", HTMLDialogElement);
  const open = () => {
    const items = [...shown(keys), { key: "?", label: say("key_help") }].map(({ key, label }) => {
      const item = clone("[data-key-item]", HTMLElement);
      find("kbd", HTMLElement, item).textContent = named(key);
      find("dd", HTMLElement, item).textContent = label;
      return item;
    });
    find("[data-keys-list]").replaceChildren(...items);
    sheet.showModal();
  };
  box.checked = keptChoice(KEPT, true);
  box.addEventListener("change", () => keepChoice(KEPT, box.checked));
  for (const button of findAll("[data-keys-open]")) button.hidden = false;
  document.addEventListener("click", (event) => hit(event, "[data-keys-open]") && open());
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing || !box.checked) return;
    if (event.ctrlKey || event.metaKey || event.altKey || hit(event, TYPING) || findAll("dialog[open]").length) return;
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (letter === " " && hit(event, "button, a, summary, input")) return;
    const run = letter === "?" ? open : shown(keys).find((one) => one.key === letter)?.run;
    if (!run) return;
    event.preventDefault();
    run();
  });
}

/**
 * What stands on a key.
 * @param {string} key
 */
function named(key) {
  if (key === " ") return say("key_space");
  return NAMES[key] ?? key.toUpperCase();
}

/** @param {Key[]} keys those that do something now */
function shown(keys) {
  return keys.filter(({ when }) => when?.() ?? true);
}

/**
 * A key that presses a button of the page, or gives its field the focus.
 * @param {string} key
 * @param {string} label
 * @returns {Key}
 */
export function pressing(key, label) {
  const target = () => findAll(`[data-key="${key}"]`).find((one) => one.checkVisibility()) ?? null;
  const run = () => {
    const element = target();
    if (element instanceof HTMLButtonElement || element instanceof HTMLAnchorElement) element.click();
    else element?.focus();
  };
  return { key, label, run, when: () => target() !== null };
}
