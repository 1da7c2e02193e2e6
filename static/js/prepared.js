// The page of a room before it opens: counts down in words, and becomes the room as soon as its host opens it.
// It asks every ten to twenty seconds, each page at times of its own, and loads again when something is another.

import { find, write } from "shared/dom";
import { dates, locale } from "shared/time";

const [SOONEST, SPREAD] = [10_000, 10_000]; // ms
const MINUTE = 60_000;
const page = find("[data-prepared]");

/**
 * A time to come in words: in 3 days, in 2 hours, in 5 minutes.
 * @param {number} ms
 */
function inWords(ms) {
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "always" });
  const minutes = Math.max(1, Math.ceil(ms / MINUTE));
  if (minutes < 120) return relative.format(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? relative.format(hours, "hour") : relative.format(Math.round(hours / 24), "day");
}

function countDown() {
  const left = new Date(page.dataset.at ?? "").getTime() - Date.now();
  find("[data-countdown]").hidden = left <= 0;
  find("[data-late]").hidden = left > 0;
  if (left > 0) write(find("[data-countdown]"), inWords(left));
}

/** The host's own time is told to readers for whom it is another. */
function tellElsewhere() {
  const parts = dates({
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).formatToParts(new Date(page.dataset.at ?? ""));
  const found = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  const here = `${found.year}-${found.month}-${found.day}T${found.hour}:${found.minute}`;
  find("[data-elsewhere]").hidden = here === page.dataset.wall;
}

/** Whether the page is out of date. What cannot be had, or only not now, changes nothing. */
async function isStale() {
  const answer = await fetch(`/api/v1/rooms/${page.dataset.slug}/prepared/`).catch(() => null);
  if (!answer || answer.status === 429 || answer.status >= 500) return false;
  if (!answer.ok) return true; // removed, signed out: the page says why
  const room = await answer.json().catch(() => null);
  if (room === null) return false;
  const { at, wall, title, topic } = page.dataset;
  const same = new Date(room.at).getTime() === new Date(at ?? "").getTime() && room.starts.wall === wall;
  return room.status !== "scheduled" || !same || room.title !== title || room.topic !== topic;
}

async function look() {
  if (await isStale()) location.reload();
  else again();
}

function again() {
  countDown();
  setTimeout(look, SOONEST + Math.random() * SPREAD);
}

tellElsewhere();
again();
