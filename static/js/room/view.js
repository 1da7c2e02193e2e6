// Draws the state on the page. It never puts data into HTML, and touches only what differs.
import { labels } from "names";
import { icon } from "room/seats";
import { freePlaces, isOver } from "room/state";
import { known, number, say, sayMany, time } from "room/words";

function find(name) {
  return document.querySelector(`[data-${name}]`);
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function whoTalks(state) {
  const called = labels(state.seats);
  const names = state.seats.filter((seat) => state.talking.has(seat.user)).map((seat) => called.get(seat.user));
  if (names.length === 0) return "";
  if (names.length === 1) return names[0];
  if (names.length === 2) return say("talks_two", { name: names[0], other: names[1] });
  return say("talks_more", { name: names[0] });
}

function drawCounts(state, most) {
  write(find("listening"), sayMany("listening", state.listening));
  write(find("count"), number(state.listening));
  write(find("free"), sayMany("free", freePlaces(state)));
  find("nobody").hidden = state.listening > 0;
  const standing = find("standing");
  const wanted = Math.min(state.listening, most);
  while (standing.children.length > wanted) standing.lastElementChild.remove();
  while (standing.children.length < wanted) standing.append(document.createElement("i"));
}

function drawBanner(state) {
  const ends = state.room.host_ends_at;
  find("banner").hidden = !ends || isOver(state);
  if (ends) write(find("banner").querySelector("span"), say("host_lost", { time: time(ends) }));
}

function drawPause(state) {
  find("paused").hidden = !state.room.recording_paused_at;
}

/** Who may come in, in words; the host's choice follows what is so. */
function drawEntry(state) {
  const policy = state.room.entry_policy;
  write(find("entry"), say(`entry_${policy}`));
  const form = find("entry-form");
  form.hidden = !state.you.may.set_entry_policy;
  if (policy !== entryShown) form.elements.policy.value = policy;
  entryShown = policy;
}
let entryShown = "";

function endReason(reason) {
  return known(`ended_${reason}`) ? say(`ended_${reason}`) : "";
}

function linkTo(href, word, main) {
  const link = document.createElement("a");
  link.className = main ? "button main" : "button";
  link.href = href;
  link.textContent = say(word);
  return link;
}

/** Whether the reader's voice may be in the recording, as far as this page saw: the server measures whether it is. */
let hasSpoken = false;

/** The table is left: it says that the room is over, why, and where to go. */
function drawEnd(state, isHost) {
  if (find("table").classList.contains("over")) return;
  find("table").classList.add("over");
  write(find("on-table"), say("ended"));
  find("on-table").removeAttribute("lang");
  write(find("who-talks"), endReason(state.room.end_reason));
  find("on-table").after(find("who-talks"));
  const onward = isHost ? ["/dashboard/", "your_rooms"] : ["/", "other_rooms"];
  const again = hasSpoken || isHost ? [linkTo(new URL("replay/", location.href).pathname, "hear_again", true)] : [];
  const links = [...again, linkTo(...onward, again.length === 0)];
  find("who-talks").after(...links);
  const live = find("live");
  live.classList.remove("live");
  live.textContent = say("ended_short");
  for (const part of document.querySelectorAll("[data-while-live]")) part.hidden = true;
  links[0].focus();
}

export function drawRoom(state, { seats, most, maySit }) {
  const table = find("table");
  table.classList.toggle("may-sit", maySit);
  drawCounts(state, most);
  drawBanner(state);
  drawPause(state);
  drawEntry(state);
  hasSpoken ||= state.seats.some((seat) => seat.user === state.you.user && !seat.muted);
  if (isOver(state)) return drawEnd(state, state.you.user === state.room.host);
  seats.draw(state);
  write(find("who-talks"), whoTalks(state));
  return undefined;
}

/** A line above the bar: for a while, or with `stays` until the next one. */
let noticeTimer = 0;
export function notice(text, { stays = false } = {}) {
  const line = find("notice");
  clearTimeout(noticeTimer);
  line.textContent = text;
  line.hidden = !text;
  if (text && !stays) noticeTimer = setTimeout(() => (line.hidden = true), 6000);
}

export function clearNotice(text) {
  if (find("notice").textContent === text) notice("");
}

/** Writes a verdict line: good, bad, or neither yet. */
export function verdict(line, kind, text) {
  line.classList.toggle("good", kind === "good");
  line.classList.toggle("bad", kind === "bad");
  const words = document.createElement("span");
  words.textContent = text;
  line.replaceChildren(icon({ good: "check", bad: "warn" }[kind] ?? "clock"), words);
  line.hidden = !text;
}
