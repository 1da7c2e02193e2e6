// How many messages the reader has not read: in the header of the page, in words and as a number, and in its title.
import { find, write } from "shared/dom";
import { locale } from "shared/time";

const MOST = 99; // shown as a number (social/context.py)
let title = "";
let shownAt = 0;

/**
 * Give the page another title, with the number of unread messages as it is.
 * @param {string} before what to replace: the page's title may have marks around it that isolate it
 * @param {string} after
 */
export function retitle(before, after) {
  title = title.replace(before, () => after);
  document.title = document.title.replace(before, () => after);
}

/**
 * Show the number, which was counted at `at` (microseconds): an older one that arrives later is not shown. Pages that
 * depend on it hear `unread` (detail: the number, the one before, the words for it, and whether the server has told it
 * since the page was loaded).
 * @param {{ messages: number, at?: number }} unread without `at` it is right as it arrives
 */
export function showUnread({ messages: count, at }) {
  const link = document.querySelector("[data-unread]");
  if (!(link instanceof HTMLElement) || (at ?? shownAt) < shownAt) return;
  shownAt = at ?? shownAt;
  title ||= document.title;
  const before = Number(link.dataset.unread);
  const { none = "", one = "", many = "" } = link.dataset;
  const shown = new Intl.NumberFormat(locale()).format(count);
  const short = count > MOST ? `${MOST}+` : shown;
  const words = count === 0 ? none : count === 1 ? one : many.replace("{number}", shown);
  link.dataset.unread = String(count);
  write(find("[data-unread-words]", HTMLElement, link), words);
  const badge = find("[data-unread-badge]", HTMLElement, link);
  badge.hidden = count === 0;
  write(badge, short);
  document.title = count === 0 ? title : `(${short}) ${title}`;
  document.dispatchEvent(new CustomEvent("unread", { detail: { count, before, words, told: at !== undefined } }));
}
