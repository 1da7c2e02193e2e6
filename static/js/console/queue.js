// The queue updates by itself: when staff are told of a report or a case, the server words all parts of it anew.
import { listenForKeys, pressing } from "console/keys";
import { onStaffMessage } from "console/live";
import { upgradeTimes } from "page";
import { find, findAll } from "shared/dom";
import { say } from "shared/words";

const BUNDLED = 300; // ms: two hundred reports of one moment are one look
const LEAST = 2000; // ms between two looks
const EVERY = 60_000; // ms: ages and claims go on without a message

const address = find("[data-queue-parts]").dataset.queueParts ?? "";
const told = find("[data-told]");
let timer = 0;
let lookedAt = 0;

/** The parts as they are now; nothing when they cannot be had. Who was signed out meanwhile stays where they are. */
async function fresh() {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  upgradeTimes(page);
  return page;
}

/**
 * Put a part in place of what the page has, and leave the focus on the same link.
 * @param {HTMLElement} part
 * @param {HTMLElement} current
 */
function take(part, current) {
  if (part.innerHTML === current.innerHTML) return;
  const had = document.activeElement;
  const link = had instanceof HTMLAnchorElement && part.contains(had) ? had.href : "";
  part.replaceChildren(...current.childNodes);
  if (!link) return;
  const same = findAll("a", part).find((one) => one instanceof HTMLAnchorElement && one.href === link);
  (same ?? find("#content-start")).focus({ preventScroll: true });
}

async function look() {
  timer = 0;
  lookedAt = Date.now();
  const page = await fresh();
  for (const part of page ? findAll("[data-queue-part]") : []) {
    const current = page?.querySelector(`[data-queue-part="${part.dataset.queuePart}"]`);
    if (current instanceof HTMLElement) take(part, current);
  }
}

function lookSoon() {
  if (!timer) timer = setTimeout(look, Math.max(BUNDLED, lookedAt + LEAST - Date.now()));
}

onStaffMessage("resync", lookSoon);
onStaffMessage("case_changed", lookSoon);
onStaffMessage("report_received", () => {
  told.textContent = "";
  setTimeout(() => (told.textContent = say("queue_new")), 100); // said again, also where it stands already
  lookSoon();
});
onStaffMessage("ended", () => (told.textContent = say("queue_ended")));
setInterval(() => !document.hidden && lookSoon(), EVERY);
document.addEventListener("visibilitychange", () => !document.hidden && lookSoon());
listenForKeys([pressing("n", say("queue_key_next")), pressing("/", say("queue_key_search"))]);
