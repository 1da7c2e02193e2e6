// The inbox, while messages arrive: its list is taken over as the server draws it.
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

document.addEventListener("unread", (event) => {
  const { count, before } = /** @type {CustomEvent} */ (event).detail;
  if (count !== before) look();
});
