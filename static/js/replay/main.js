// The page of an ended room: the browser's player becomes ours, with a picture, lanes and lines that follow.
import { Corrections } from "replay/correct";
import { read } from "replay/fragment";
import { Lanes } from "replay/lanes";
import { Links } from "replay/link";
import { Player } from "replay/player";
import { watchRecording, watchTranscript } from "replay/progress";
import { Transcript } from "replay/transcript";
import { Wave } from "replay/wave";
import { clock, say } from "replay/words";

const main = document.querySelector("[data-replay]");
const data = JSON.parse(document.getElementById("replay-data").textContent);

async function peaksFrom(address) {
  if (!address) return null;
  const answer = await fetch(address).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function buttons(root, player, lanes) {
  const play = root.querySelector("[data-do=play]");
  const deeds = {
    play: () => player.toggle(),
    back: player.back,
    ahead: player.ahead,
    next: () => lanes.next() !== null && player.seek(lanes.next()),
  };
  for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", deeds[button.dataset.do]);
  const speed = root.querySelector("[data-speed]");
  speed.addEventListener("change", () => (player.speed = Number(speed.value)));
  player.addEventListener("state", () => {
    play.querySelector("[data-label]").textContent = say(player.playing ? "pause" : "play");
    play.querySelector("use").setAttribute("href", player.playing ? "#i-pause" : "#i-play");
  });
  const now = root.querySelector("[data-now]");
  const all = root.querySelector("[data-all]");
  player.addEventListener("time", () => {
    if (now.textContent !== clock(player.now)) now.textContent = clock(player.now);
    if (all.textContent !== clock(player.all)) all.textContent = clock(player.all);
  });
  return deeds;
}

/** Space, K: play. J, L and arrows: back and on. N: next speaker. F: follow. /: search. [ and ]: a part. */
function keys(deeds, player, transcript, links) {
  const all = {
    " ": deeds.play,
    k: deeds.play,
    j: deeds.back,
    l: deeds.ahead,
    n: deeds.next,
    ArrowLeft: () => player.seek(player.now - 5),
    ArrowRight: () => player.seek(player.now + 5),
    f: () => transcript.list && transcript.follow(),
    "/": () => transcript.search?.q.focus(),
    "[": () => links.from(),
    "]": () => links.to(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input:not([type=range]), textarea, select");
    const pressing = event.target.closest("button, a, summary");
    const deed = all[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const sliding = event.target.matches("[type=range]") && event.key.startsWith("Arrow");
    if (!deed || typing || sliding || (pressing && event.key === " ")) return;
    event.preventDefault();
    deed();
  });
}

/** Headphone keys and the lock screen. */
function session(player, deeds) {
  const media = navigator.mediaSession;
  if (!media) return;
  const artwork = [{ src: data.artwork, sizes: "any", type: "image/svg+xml" }];
  media.metadata = new MediaMetadata({ title: data.title, artist: data.host, album: "Stamtafel", artwork });
  media.setActionHandler("play", () => player.playing || player.toggle());
  media.setActionHandler("pause", () => player.audio.pause());
  media.setActionHandler("seekbackward", deeds.back);
  media.setActionHandler("seekforward", deeds.ahead);
  media.setActionHandler("nexttrack", deeds.next);
  media.setActionHandler("seekto", (details) => player.seek(details.seekTime));
  player.addEventListener("state", () => {
    media.playbackState = player.playing ? "playing" : "paused";
    const { now, all } = player;
    if (all)
      media.setPositionState({ duration: all, playbackRate: player.audio.playbackRate, position: Math.min(now, all) });
  });
}

function open(player) {
  const part = read(location.hash);
  if (!part) return;
  player.choose(part.to ? part : null);
  player.seek(part.from);
}

async function start(root) {
  const audio = root.querySelector("[data-audio]");
  const player = new Player(audio, (data.duration_ms ?? 0) / 1000);
  const trouble = root.querySelector("[data-trouble]");
  player.addEventListener("trouble", () => {
    trouble.textContent = say("sound_failed");
    trouble.hidden = false;
  });
  const peaks = await peaksFrom(data.peaks);
  const transcript = new Transcript(document.querySelector("[data-said]"), player);
  const lanes = new Lanes(root.querySelector(".lanes"), player, data, peaks, transcript.lines);
  const links = new Links(root.querySelector("[data-link-menu]"), player);
  audio.controls = false;
  audio.hidden = true;
  root.querySelector("[data-drawn]").hidden = false;
  root.querySelector("[data-no-picture]").hidden = Boolean(peaks);
  new Wave(root.querySelector("[data-wave]"), player, peaks);
  const deeds = buttons(root, player, lanes);
  keys(deeds, player, transcript, links);
  session(player, deeds);
  audio.addEventListener("loadedmetadata", () => {
    lanes.lanes.forEach((lane) => lanes.draw(lane));
    player.tell("time");
  });
  if (transcript.list) new Corrections(transcript.list, data.slug, main.dataset.csrf);
  player.tell("time");
  open(player);
  addEventListener("hashchange", () => open(player));
  main.dataset.ready = "";
}

const player = document.querySelector("[data-player]");
const writing = document.querySelector("[data-progress]");
if (writing) watchTranscript(writing);
if (player) start(player);
else if (main.dataset.state === "finishing") watchRecording("finishing");
