// What was written and not sent yet: kept in this tab, so that signing in again or a reload loses nothing.
import { find } from "shared/dom";

/**
 * The draft of a page. Another person who signs in to this tab does not see it.
 * @param {string} path
 */
export function drafts(path) {
  const key = `draft ${find("[data-reader]").dataset.reader} ${path}`;
  return {
    kept() {
      try {
        return sessionStorage.getItem(key) ?? "";
      } catch (error) {
        console.info("sessionStorage", error.name); // blocked by the browser's settings
        return "";
      }
    },
    /** @param {string} text "" for none */
    keep(text) {
      try {
        if (text) sessionStorage.setItem(key, text);
        else sessionStorage.removeItem(key);
      } catch (error) {
        console.info("sessionStorage", error.name);
      }
    },
  };
}
