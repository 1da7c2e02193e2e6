// The page of an ended room: the browser's player becomes ours, with a picture, lanes and lines that follow.
import { makeClips } from "replay/clip";
import { Corrections } from "replay/correct";
import { read } from "replay/fragment";
import { Lanes } from "replay/lanes";
import { Links } from "replay/link";
import { Player } from "replay/player";
import { watchRecording, watchTranscript } from "replay/progress";
import { markByHand, reportWhereItStands } from "replay/report";
import { Transcript } from "replay/transcript";
import { Wave } from "replay/wave";
import { find, findAll, readJson, write } from "shared/dom";
import { setIcon } from "shared/icons";
import { describe } from "shared/media_session";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import { Peaks, ReplayData } from "replay/types" */
/** @typedef {{ play: () => void, back: () => void, ahead: () => void, next: () => void }} Deeds */

const main = find("[data-replay]");
/** @type {ReplayData} */
const data = readJson("replay-data");

/**
 * @param {string | null} address
 * @returns {Promise<Peaks | null>}
 */
async function peaksFrom(address) {
  if (!address) return null;
  const answer = await fetch(address).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

/**
 * @param {HTMLElement} root
 * @param {Player} player
 * @param {Lanes} lanes
 * @returns {Deeds}
 */
function buttons(root, player, lanes) {
  const part = (/** @type {string} */ name) => find(name, HTMLElement, root);
  const play = part("[data-do=play]");
  const deeds = {
    play: () => player.toggle(),
    back: player.back,
    ahead: player.ahead,
    next: () => {
      const next = lanes.next();
      if (next !== null) player.seek(next);
    },
  };
  for (const button of findAll("[data-do]", root)) {
    button.addEventListener("click", deeds[/** @type {keyof Deeds} */ (button.dataset.do)]);
  }
  const speed = find("[data-speed]", HTMLSelectElement, root);
  speed.addEventListener("change", () => (player.speed = Number(speed.value)));
  player.addEventListener("state", () => {
    find("[data-label]", HTMLElement, play).textContent = say(player.playing ? "pause" : "play");
    setIcon(play, player.playing ? "pause" : "play");
  });
  const [now, all] = [part("[data-now]"), part("[data-all]")];
  player.addEventListener("time", () => {
    write(now, clock(player.now));
    write(all, clock(player.all));
  });
  return deeds;
}

/**
 * Space, K: play. J, L and arrows: back and on. N: next speaker. F: follow. /: search. [ and ]: a part.
 * @param {Deeds} deeds
 * @param {Player} player
 * @param {Transcript} transcript
 * @param {Links} links
 */
function keys(deeds, player, transcript, links) {
  /** @type {Record<string, () => unknown>} */
  const all = {
    " ": deeds.play,
    k: deeds.play,
    j: deeds.back,
    l: deeds.ahead,
    n: deeds.next,
    ArrowLeft: () => player.seek(player.now - 5),
    ArrowRight: () => player.seek(player.now + 5),
    f: () => transcript.follow(),
    "/": () => transcript.query?.focus(),
    "[": () => links.from(),
    "]": () => links.to(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
    const typing = event.target.matches("input:not([type=range]), textarea, select");
    const pressing = event.target.closest("button, a, summary");
    const deed = all[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const sliding = event.target.matches("[type=range]") && event.key.startsWith("Arrow");
    if (!deed || typing || sliding || (pressing && event.key === " ")) return;
    event.preventDefault();
    deed();
  });
}

/**
 * Headphone keys and the lock screen.
 * @param {Player} player
 * @param {Deeds} deeds
 */
function session(player, deeds) {
  describe(data, {
    play: () => {
      if (!player.playing) player.toggle();
    },
    pause: () => player.audio.pause(),
    seekbackward: deeds.back,
    seekforward: deeds.ahead,
    nexttrack: deeds.next,
    seekto: ({ seekTime }) => player.seek(seekTime ?? 0),
  });
  if (!("mediaSession" in navigator)) return;
  player.addEventListener("state", () => {
    const { now, all } = player;
    navigator.mediaSession.playbackState = player.playing ? "playing" : "paused";
    const playbackRate = player.audio.playbackRate;
    if (all) navigator.mediaSession.setPositionState({ duration: all, playbackRate, position: Math.min(now, all) });
  });
}

/** @param {Player} player */
function open(player) {
  const part = read(location.hash);
  if (!part) return;
  player.choose(part.to ? part : null);
  player.seek(part.from);
}

/** @param {HTMLElement} root */
async function start(root) {
  const part = (/** @type {string} */ name) => find(name, HTMLElement, root);
  const audio = find("[data-audio]", HTMLAudioElement, root);
  const player = new Player(audio, (data.duration_ms ?? 0) / 1000);
  player.addEventListener("trouble", () => {
    part("[data-trouble]").textContent = say("sound_failed");
    part("[data-trouble]").hidden = false;
  });
  const peaks = await peaksFrom(data.peaks);
  const transcript = new Transcript(find("[data-said]"), player);
  const lanes = new Lanes(part(".lanes"), player, data.lanes, peaks, transcript.lines);
  const links = new Links(part("[data-link-menu]"), player);
  audio.controls = false;
  audio.hidden = true;
  part("[data-drawn]").hidden = false;
  part("[data-no-picture]").hidden = Boolean(peaks);
  new Wave(part("[data-wave]"), player, peaks);
  markByHand(part("[data-wave]"), player);
  const deeds = buttons(root, player, lanes);
  keys(deeds, player, transcript, links);
  reportWhereItStands(player);
  makeClips(player);
  session(player, deeds);
  audio.addEventListener("loadedmetadata", () => {
    lanes.draw();
    player.tell("time");
  });
  if (transcript.list) new Corrections(transcript.list, data.slug, main.dataset.csrf ?? "");
  player.tell("time");
  open(player);
  addEventListener("hashchange", () => open(player));
  main.dataset.ready = "";
}

const [box] = findAll("[data-player]");
const [writing] = findAll("[data-progress]");
if (writing) watchTranscript(writing);
if (box) start(box);
else if (main.dataset.state === "finishing") watchRecording("finishing");
