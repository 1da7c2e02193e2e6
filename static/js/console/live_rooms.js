// Live rooms go on by themselves: every two seconds the server words them anew, with the reader's rights of that moment.
import { send, tell } from "console/parts";
import { upgradeTimes } from "page";
import { find, findAll } from "shared/dom";
import { say } from "shared/words";

const EVERY = 2000; // ms between the end of one look and the next
const WAIT = 10_000; // ms for an answer
const FAILURES = 3; // in a row, after which nothing is shown that may no longer be for the reader

const rooms = find("[data-live]");
const address = rooms.dataset.live ?? "";
let timer = 0;
let failed = 0;

/**
 * Take over what is new, and leave the rest where it is: what has the focus keeps it.
 * @param {Element} had
 * @param {Element} now
 */
function merge(had, now) {
  const fresh = [...now.children].filter((one) => one instanceof HTMLElement);
  const keys = new Set(fresh.map((one) => one.dataset.keep));
  const known = new Map();
  for (const one of [...had.children]) {
    const key = one instanceof HTMLElement ? one.dataset.keep : undefined;
    if (key && keys.has(key)) known.set(key, one);
    else one.remove();
  }
  /** @type {Element | null} */
  let place = had.firstElementChild;
  for (const one of fresh) {
    const same = known.get(one.dataset.keep);
    if (!same) had.insertBefore(one, place);
    else if (same !== place) had.insertBefore(same, place);
    if (same && same === place) place = place?.nextElementSibling ?? null;
    if (!same || same.isEqualNode(one)) continue;
    if (one.dataset.keyed === undefined) same.replaceWith(one);
    else merge(same, one);
  }
}

/** @param {Document} page that has the rooms as they are now */
function take(page) {
  upgradeTimes(page);
  const now = page.querySelector("[data-live]");
  if (!(now instanceof HTMLElement)) return;
  if (rooms.dataset.all && !now.dataset.all) return location.reload(); // the hour is over
  const had = document.activeElement;
  const room = had?.closest("[data-keep^=room-]");
  const seen = new Set(findAll("[data-hit]", rooms).map((one) => one.dataset.keep));
  merge(rooms, document.importNode(now, true));
  if (had && !had.isConnected) {
    const link = room?.isConnected ? room.querySelector("h2 a") : null;
    (link instanceof HTMLElement ? link : find("#content-start")).focus({ preventScroll: true });
  }
  if (findAll("[data-hit]", rooms).some((one) => !seen.has(one.dataset.keep))) tell(say("live_found"));
}

/** The rooms as they are now: whether the rights are gone, and the text; null where none came. */
async function ask() {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(WAIT) });
    const gone = answer.redirected || answer.status === 403;
    return gone || answer.ok ? { gone, text: await answer.text() } : null;
  } catch {
    return null;
  }
}

async function look() {
  clearTimeout(timer);
  if (!document.hidden) {
    const answer = await ask();
    if (answer?.gone) return empty(say("queue_ended"));
    failed = answer ? 0 : failed + 1;
    if (answer) take(new DOMParser().parseFromString(answer.text, "text/html"));
    else if (failed === FAILURES) empty(say("live_failed"));
  }
  clearTimeout(timer);
  timer = setTimeout(look, EVERY);
}

/**
 * The reader's rights are gone, or nobody can say whether they are: so is what they saw by them.
 * @param {string} why
 */
function empty(why) {
  tell(why);
  const text = document.createElement("p");
  text.className = "note";
  text.textContent = why;
  rooms.replaceChildren(text);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !event.submitter?.matches("[data-stays]")) return;
  event.preventDefault();
  const page = await send(form, event.submitter);
  if (!page) return;
  take(page);
  const said = [...page.querySelectorAll(".messages .message")].map((one) => one.textContent?.trim() ?? "");
  if (said.length) tell(said.join(" "));
});
document.addEventListener("visibilitychange", () => !document.hidden && look());
timer = setTimeout(look, EVERY);
