// The room page: ties the line to the room, the sound and the page together. Each part does its own job elsewhere.
import { labels } from "names";
import { Audience, describe } from "room/audience";
import { Check, microphoneTrouble } from "room/check";
import { Bar, controls } from "room/controls";
import { everyFrame, soundMayStart } from "room/level";
import { PersonCard } from "room/person";
import { Seats } from "room/seats";
import { share } from "room/share";
import { Refused, RoomSocket } from "room/socket";
import { openMicrophone, Stage } from "room/stage";
import { apply, fromSnapshot, isOver, ownSeat } from "room/state";
import { clearNotice, drawRoom, notice } from "room/view";
import { known, readJson, say } from "room/words";

const LOST_PAGE = 12_000; // ms after which a page that lost its microphone is back, or gone (rooms/presence.py: LINGER)
const page = readJson("room-page");
let state = fromSnapshot(readJson("room-snapshot"));
let wasLost = false;
let asking = false;

const socket = new RoomSocket(page.slug);
const ask = (verb, values, wait) => socket.ask(verb, values, wait);
const element = document.querySelector("[data-sound]");
const audience = new Audience(ask, element, page.slug);
const stage = new Stage(ask, element);
const check = new Check(ask);
const card = new PersonCard((what, user) => attempt(() => ask(what, { user })));
const bar = new Bar(document.querySelector("[data-bar]"), (what) => actions[what]?.());
const seats = new Seats(document.querySelector("[data-seats]"), {
  open: (user) => card.open(state, user),
  sit: () => controls(state, local()).maySit && actions.take_seat(),
});

let elsewhere = false; // another page of this person has their microphone: this one stays quiet until it is taken over
let out = null; // the code for which the server put this page out of the room

function local() {
  return { sound: audience.state, stage: stage.state, elsewhere, out };
}

/** Runs what may be refused, and says so if it is. True if it worked. */
async function attempt(work) {
  try {
    await work();
    return true;
  } catch (refused) {
    if (!out && !isOver(state)) notice(refused.code === "offline" || !refused.code ? say("failed") : refused.message);
    return false;
  }
}

// --- the page follows the state -----------------------------------------------------------------------------------

let due = false;
function draw() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    const now = controls(state, local());
    drawRoom(state, { seats, most: page.standing, maySit: now.maySit });
    bar.draw(now, local());
    card.redraw(state);
  });
}

function take(message) {
  if (message.type === "media_restarted") return mediaRestarted();
  if (personal[message.type]) return message.room === page.slug && personal[message.type](message);
  const before = state;
  const { state: next, gap } = apply(state, message);
  state = next;
  if (gap) resync();
  if (before !== state) follow(before);
  return undefined;
}

function resync() {
  if (asking) return;
  asking = true;
  ask("snapshot")
    .catch((refused) => console.info("snapshot", refused.code))
    .finally(() => (asking = false));
}

/** What follows from the new state for sound. */
function follow(before) {
  const seat = ownSeat(state);
  if (isOver(state)) finish();
  else if (seat) stage.setMuted(seat.muted);
  else if (ownSeat(before) || stage.state !== "off") stoodUp();
  if (before.room.recording_paused_at && !state.room.recording_paused_at && !isOver(state))
    notice(say("recording_resumed"));
  draw();
}

function stoodUp() {
  here();
  if (stage.state === "off") return;
  stage.close();
  audience.start();
}

function finish() {
  stage.close();
  audience.stop();
  socket.close();
  for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close();
  notice("");
}

function mediaRestarted() {
  if (stage.state !== "off") stage.reconnect();
  else audience.restart();
}

const personal = {
  you_muted: ({ by }) => {
    const name = labels(state.seats).get(by);
    notice(name ? say("muted_by", { name }) : say("muted_you"));
  },
  you_unseated: () => notice(say("unseated_you")),
  mic_lost: (message) => {
    if (message.page === socket.page) return stage.state !== "off" && microphoneLost();
    // The other page connects again by itself, unless it was closed without a word.
    return setTimeout(() => elsewhere && aloneAtTheTable().then((alone) => alone && here()), LOST_PAGE);
  },
  mic_moved: (message) => {
    if (message.page === "") here();
    else if (message.page !== socket.page) microphoneElsewhere();
  },
};

function microphoneLost() {
  stage.close();
  attempt(() => ask("speak_stop"));
  notice(say("mic_lost"), { stays: true });
  audience.start();
}

// --- one microphone, however many pages ---

/** Another page has it. This one is told, falls silent, and takes it back only if the person says so. */
function microphoneElsewhere() {
  stage.close();
  if (!elsewhere) {
    audience.stop();
    notice(say("mic_elsewhere"), { stays: true });
  }
  elsewhere = true;
  draw();
}

function here() {
  if (!elsewhere) return;
  elsewhere = false;
  clearNotice(say("mic_elsewhere"));
  draw();
}

/** The microphone is this page's from here on; `take`: also if another page has it. */
async function claim(take) {
  await ask("speak_claim", { take });
  here();
}

/** Whether no other page of this person has their microphone. What a page that is gone left open is closed by it. */
async function aloneAtTheTable() {
  try {
    await ask("speak_stop");
  } catch (refused) {
    if (refused.code === "mic_elsewhere") microphoneElsewhere();
    return refused.code !== "mic_elsewhere";
  }
  return true;
}

function cannotSpeak(error) {
  if (error.code === "mic_elsewhere") microphoneElsewhere();
  else notice(error instanceof Refused ? say("failed") : microphoneTrouble(error));
}

// --- what one can do ------------------------------------------------------------------------------------------------

/** The check, then `enter`, then the stage. */
async function toStage(label, enter) {
  const { consented } = state.you;
  const agree = async () => {
    await ask("consent", { version: page.consent });
    state = { ...state, you: { ...state.you, consented: true } };
  };
  const microphone = await check.run({ consented, agree, label });
  if (!microphone) return;
  const seated = await attempt(async () => {
    await enter();
    await claim(true);
  });
  if (!seated) {
    microphone.getTracks().forEach((track) => track.stop());
    return;
  }
  await openStage(microphone);
  notice(say("on_stage"));
}

async function openStage(microphone) {
  audience.stop();
  await stage.open(microphone);
  const seat = ownSeat(state);
  if (seat) stage.setMuted(seat.muted);
}

/** Unmute: at once if the connection stands, or as soon as it does; by the check the first time; without it when all
 * was said before. */
async function unmute() {
  if (stage.state === "opening") {
    notice(say("connecting"), { stays: true });
    await stage.settled();
    clearNotice(say("connecting"));
    if (stage.state === "off") return undefined; // stood up, or lost the microphone, meanwhile
  }
  if (stage.state === "on") return attempt(() => ask("unmute"));
  if (!state.you.consented || !(await microphoneAllowed())) return toStage("go_mic", () => {});
  try {
    const microphone = await openMicrophone();
    await claim(true);
    await openStage(microphone);
  } catch (error) {
    return cannotSpeak(error);
  }
  return attempt(() => ask("unmute"));
}

async function microphoneAllowed() {
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state === "granted";
  } catch (error) {
    console.info("permissions", error.name); // Firefox does not tell
    return false;
  }
}

function endRoom() {
  const sheet = document.getElementById("end-sheet");
  sheet.returnValue = "";
  sheet.onclose = () => sheet.returnValue === "end" && attempt(() => ask("end"));
  sheet.showModal();
}

document.querySelector("[data-entry-form]").addEventListener("submit", (event) => {
  event.preventDefault();
  const policy = event.target.elements.policy.value;
  attempt(() => ask("set_entry_policy", { policy }));
});

const actions = {
  listen: () => audience.start(),
  sound: () => (audience.isOn ? audience.stop() : audience.start()),
  take_seat: () => toStage("go_seat", () => ask("take_seat")),
  unmute,
  speak_here: unmute,
  mute: () => {
    stage.setMuted(true); // closed here at once, whatever the network does
    return attempt(() => ask("mute"));
  },
  leave_seat: () => attempt(() => ask("leave_seat")),
  share: () => share(page.title, notice),
  end: endRoom,
};

// --- coming back ----------------------------------------------------------------------------------------------------

socket.addEventListener("message", (event) => take(event.detail));
socket.addEventListener("lost", (event) => {
  wasLost = true;
  const why = event.detail === 4429 ? "too_many" : "reconnecting";
  notice(say(navigator.onLine ? why : "offline"), { stays: true });
});
socket.addEventListener("open", () => {
  if (!wasLost) return;
  wasLost = false;
  clearNotice(say("offline"));
  clearNotice(say("reconnecting"));
  clearNotice(say("too_many"));
});
socket.addEventListener("final", ({ detail }) => {
  finish();
  out = detail.reason ?? (detail.code === 4403 ? "not_allowed" : "gone");
  draw();
  notice(known(`out_${out}`) ? say(`out_${out}`) : detail.text || say("gone"), { stays: true });
});
addEventListener("online", () => (stage.state === "off" ? audience.restart(200) : stage.reconnect()));
audience.addEventListener("change", draw);
stage.addEventListener("change", draw);
stage.addEventListener("mic_lost", microphoneLost);
stage.addEventListener("elsewhere", microphoneElsewhere);
addEventListener("pagehide", () => {
  if (stage.state === "off") return;
  socket.tell("speak_stop");
  stage.close();
});
// The browser kept the page as it was and shows it again: it begins anew, as after a reload.
addEventListener("pageshow", (event) => event.persisted && socket.addEventListener("open", begin, { once: true }));

/** A page that just opened never has an open microphone, whatever its seat says from before a reload; and it leaves
 * the one of another page alone. It asks once more (`again`): the other may be itself, before a reload without a word. */
async function begin(again = true) {
  describe(page, { play: () => audience.start(), stop: () => audience.stop() });
  draw();
  const seat = ownSeat(state);
  if (seat && !(await aloneAtTheTable())) {
    if (again) setTimeout(() => elsewhere && begin(false), LOST_PAGE);
    return;
  }
  here();
  const may = await soundMayStart();
  if (isOver(state)) return;
  if (seat && state.you.consented && (await microphoneAllowed())) {
    // Back to the table: at once, or with the first click or key, if the browser wants one before there is sound.
    if (may) await backToTable();
    else for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, backToTable, { once: true });
  } else if (may) await audience.start();
}

async function backToTable() {
  if (!ownSeat(state) || stage.state !== "off" || elsewhere) return;
  try {
    await claim(false);
    await openStage(await openMicrophone());
  } catch (error) {
    cannotSpeak(error);
    if (!elsewhere) await aloneAtTheTable();
  }
}

function followLevels() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  everyFrame(() => {
    if (state.talking.size === 0 || calm.matches) return;
    const mix = (stage.state === "on" ? stage.level : audience.level)?.read() ?? null;
    const own = stage.ownLevel?.read() ?? null;
    seats.ring((user) => (user === state.you.user ? own : mix));
  });
}

followLevels();
socket.addEventListener("open", begin, { once: true });
