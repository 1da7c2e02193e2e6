// The room page: ties the line to the room, the sound and the page together. Each part does its own job elsewhere.
import { labels } from "names";
import { Audience, describe } from "room/audience";
import { Check, microphoneTrouble } from "room/check";
import { Bar, controls } from "room/controls";
import { everyFrame, soundMayStart } from "room/level";
import { PersonCard } from "room/person";
import { Seats } from "room/seats";
import { share } from "room/share";
import { RoomSocket } from "room/socket";
import { Stage, openMicrophone } from "room/stage";
import { apply, fromSnapshot, isOver, ownSeat } from "room/state";
import { clearNotice, drawRoom, notice } from "room/view";
import { known, readJson, say } from "room/words";

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

let out = null; // the code for which the server put this page out of the room

function local() {
  return { sound: audience.state, stage: stage.state, out };
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
  if (personal[message.type]) return personal[message.type](message);
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
  else if (ownSeat(before) || stage.state !== "off") backToAudience();
  if (before.room.recording_paused_at && !state.room.recording_paused_at && !isOver(state)) notice(say("recording_resumed"));
  draw();
}

function backToAudience() {
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
  mic_lost: () => microphoneLost(),
};

function microphoneLost() {
  stage.close();
  if (ownSeat(state)?.muted === false) attempt(() => ask("mute"));
  notice(say("mic_lost"), { stays: true });
  audience.start();
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
  if (!(await attempt(enter))) {
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
    await openStage(await openMicrophone());
  } catch (error) {
    return notice(microphoneTrouble(error));
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

/** A page that just opened never has an open microphone, whatever its seat says from before a reload. */
async function begin() {
  describe(page, { play: () => audience.start(), stop: () => audience.stop() });
  draw();
  const seat = ownSeat(state);
  if (seat && !seat.muted) await attempt(() => ask("mute"));
  const may = await soundMayStart();
  if (isOver(state)) return;
  if (seat && state.you.consented && (await microphoneAllowed())) {
    // Back to the table: at once, or with the first click or key, if the browser wants one before there is sound.
    if (may) await backToTable();
    else for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, backToTable, { once: true });
  } else if (may) await audience.start();
}

async function backToTable() {
  if (!ownSeat(state) || stage.state !== "off") return;
  try {
    await openStage(await openMicrophone());
  } catch (error) {
    notice(microphoneTrouble(error));
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
