// The list of one's past rooms, while something in it moves: recordings become ready, transcripts get on.
// The page itself is asked again and its rows taken over, so that the server words everything once.
import { isolated } from "names";
import { upgradeTimes } from "page";
import { find, findAll } from "shared/dom";

const EVERY = 8000; // ms

/** The page as it is now; nothing when it cannot be had. Who was signed out meanwhile stays where they are. */
async function fresh() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  upgradeTimes(page);
  return page;
}

/**
 * Take over a row. What is new is read out once: that a state is another one, not each percent.
 * @param {HTMLElement} row
 * @param {HTMLElement} current
 */
function take(row, current) {
  if (row.innerHTML === current.innerHTML) return;
  const news = row.dataset.state !== current.dataset.state;
  row.innerHTML = current.innerHTML;
  row.dataset.state = current.dataset.state;
  row.toggleAttribute("data-moving", current.hasAttribute("data-moving"));
  if (!news) return;
  const title = row.closest("li")?.querySelector("h3")?.textContent ?? "";
  const words = findAll("[data-news]", row).map((one) => one.textContent.replace(/\s+/g, " ").trim());
  find("[data-notice]").textContent = `${isolated(title)}: ${words.join(". ")}`;
}

/** @param {Element} list */
async function look(list) {
  const page = document.hidden ? null : await fresh();
  for (const row of findAll("[data-moving]", list)) {
    const current = page?.getElementById(row.id);
    if (current) take(row, current);
  }
  again(list);
}

/** @param {Element} list */
function again(list) {
  if (list.querySelector("[data-moving]")) setTimeout(look, EVERY, list);
}

const list = document.querySelector("[data-past]");
if (list) again(list);
