// The list of one's past rooms, while something in it moves: recordings become ready, transcripts get on.
// The page itself is asked again and its rows taken over, so that the server words everything once.
import { isolated } from "names";
import { upgradeTimes } from "page";

const EVERY = 8000;
const list = document.querySelector("[data-past]");
const notice = document.querySelector("[data-notice]");

/** The page as it is now; nothing when it cannot be had. Who was signed out meanwhile stays where they are. */
async function fresh() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  upgradeTimes(page);
  return page;
}

/** What is new is read out once: that a state is another one, not each percent. */
function take(row, found) {
  if (row.innerHTML === found.innerHTML) return;
  const news = row.dataset.state !== found.dataset.state;
  row.innerHTML = found.innerHTML;
  row.dataset.state = found.dataset.state;
  row.toggleAttribute("data-moving", found.hasAttribute("data-moving"));
  if (!news) return;
  const title = row.closest("li").querySelector("h3").textContent;
  const words = [...row.querySelectorAll("[data-news]")].map((one) => one.textContent.replace(/\s+/g, " ").trim());
  notice.textContent = `${isolated(title)}: ${words.join(". ")}`;
}

async function look() {
  const page = document.hidden ? null : await fresh();
  for (const row of list.querySelectorAll("[data-moving]")) {
    const found = page?.getElementById(row.id);
    if (found) take(row, found);
  }
  again();
}

function again() {
  if (list.querySelector("[data-moving]")) setTimeout(look, EVERY);
}

if (list) again();
