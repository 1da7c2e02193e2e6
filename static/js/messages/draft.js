// What was written and not sent yet: kept in this tab, so that signing in again or a reload loses nothing.
import { find } from "shared/dom";
import { keepText, keptText } from "shared/kept";

/**
 * The draft of a page. Another person who signs in to this tab does not see it.
 * @param {string} path
 */
export function drafts(path) {
  const key = `draft ${find("[data-reader]").dataset.reader} ${path}`;
  return {
    kept: () => keptText(key),
    /** @param {string} text "" for none */
    keep: (text) => keepText(key, text),
  };
}
