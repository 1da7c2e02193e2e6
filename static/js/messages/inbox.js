// The inbox, while messages arrive or are removed: its list is taken over as the server draws it.
import { fresh, oneAtATime } from "messages/fresh";
import { find, findAll } from "shared/dom";

const list = find("[data-inbox]");

/** The conversation that a link leads to; its fragment names the last message, which changes. */
const conversation = (/** @type {Element | null} */ link) => link?.getAttribute("href")?.split("#")[0];

const look = oneAtATime(async () => {
  const answer = await fresh(location.pathname);
  const current = answer?.ok ? answer.page.querySelector("[data-inbox]") : null;
  if (!current || current.innerHTML === list.innerHTML) return;
  const focused = list.contains(document.activeElement) ? conversation(document.activeElement) : undefined;
  list.replaceChildren(...current.childNodes);
  if (focused)
    findAll("a", list)
      .find((link) => conversation(link) === focused)
      ?.focus();
});

// Each number is a reason to look, also the same one: then the words of a message have changed. The one that the page
// itself came with is none.
document.addEventListener("unread", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.told) look();
});
