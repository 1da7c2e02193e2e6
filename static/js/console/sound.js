// Sound of a case in the replay's player, muted and slow: of an ended room the mix, of a live one its segments.
import { tell } from "console/parts";
import { Lanes } from "replay/lanes";
import { Player } from "replay/player";
import { Range } from "replay/range";
import { Wave } from "replay/wave";
import { clone, find, write } from "shared/dom";
import { setIcon } from "shared/icons";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import HlsPlayer from "hls" */
/** @import { CaseData, Drawn } from "console/types" */

const STAGE_WAIT = 700; // ms that a place holds before the stage there is asked for
const AGAIN = 15_000; // ms between two looks at a live room

/** A player whose element plays segments one after another, while the room's time has gaps between them. */
class SegmentPlayer extends Player {
  /** @type {{ start: number, at: number, length: number }[]} room time, time of the element, length; in seconds */
  #pieces = [];

  /** @param {[number, number][]} segments */
  set segments(segments) {
    let at = 0;
    this.#pieces = segments.map(([start, length]) => {
      const piece = { start: start / 1000, at, length: length / 1000 };
      at += piece.length;
      return piece;
    });
  }

  /** @override */
  get now() {
    const at = this.audio.currentTime;
    const piece = this.#pieces.findLast((one) => one.at <= at + 0.001);
    return piece ? piece.start + (at - piece.at) : at;
  }

  /** @override */
  get all() {
    return this.given;
  }

  /** @override */
  moved() {
    const { part } = /** @type {Player} */ (this);
    if (part?.to && this.playing && this.now >= part.to) {
      this.audio.pause();
      this.part = { ...part, over: true };
    }
    this.tell("time");
  }

  /**
   * @override
   * @param {number} seconds of room time
   */
  seek(seconds) {
    const { part } = /** @type {Player} */ (this);
    if (part?.to && (seconds < part.from - 0.2 || seconds >= part.to)) this.choose(null);
    const piece = this.#pieces.findLast((one) => one.start <= seconds) ?? this.#pieces[0];
    if (piece) this.audio.currentTime = piece.at + Math.min(piece.length, Math.max(0, seconds - piece.start));
    this.tell("time");
  }
}

export class CaseSound {
  #root = find("[data-sound]");
  #audio = find("[data-audio]", HTMLAudioElement);
  /** @type {HlsPlayer | null} */
  #hls = null;
  #stageAt = -1;
  /** @type {number | undefined} */
  #stageTimer;
  /** @type {Wave | null} */
  #wave = null;
  /** @type {Player} */
  player;

  /**
   * @param {CaseData} data
   * @param {Drawn} drawn
   */
  constructor(data, drawn) {
    this.data = data;
    this.drawn = drawn;
    const all = Math.max(drawn.duration_ms, data.all * 1000) / 1000;
    this.player = drawn.kind === "segments" ? new SegmentPlayer(this.#audio, all) : new Player(this.#audio, all);
    this.#audio.muted = true;
    this.#audio.controls = false;
    this.#audio.hidden = true;
    find("[data-drawn]").hidden = false;
    this.#drawLanes();
    this.#controls();
    this.player.addEventListener("trouble", () => this.#trouble());
    this.player.addEventListener("time", () => this.#moved());
    if (drawn.kind === "segments") this.#audio.removeAttribute("src");
    this.choose(data.from, data.to);
    if (drawn.kind === "mix")
      this.player.seek(data.from); // where it will start: nothing is loaded yet
    else this.player.tell("time");
    if (drawn.live) setTimeout(() => this.#again(), AGAIN);
  }

  get range() {
    const part = this.player.part;
    return part?.to ? { from: part.from, to: part.to } : { from: this.data.from, to: this.data.to };
  }

  /**
   * The range that is played, marked and opened.
   * @param {number} from seconds of room time
   * @param {number} to
   */
  choose(from, to) {
    this.data.from = from;
    this.data.to = to;
    this.player.choose({ from, to });
    find("[data-range-form] [name=from]", HTMLInputElement).value = exact(from);
    find("[data-range-form] [name=to]", HTMLInputElement).value = exact(to);
    this.#label();
  }

  /** Play the range from its beginning, or on from where it stands. */
  async toggle() {
    const { player } = this;
    if (player.playing) return player.toggle();
    const { from, to } = this.range;
    const again = await this.#load();
    const inside = !again && !player.part?.over && player.now >= from && player.now < to - 0.05;
    if (!inside) {
      player.choose({ from, to });
      player.seek(from);
    }
    return player.toggle();
  }

  mute() {
    this.#audio.muted = !this.#audio.muted;
  }

  /** Resolves to whether sound was loaded now, which stands at its beginning. */
  async #load() {
    this.#audio.playbackRate = Number(find("[data-speed]", HTMLSelectElement).value);
    if (this.drawn.kind !== "segments" || this.#hls) return false;
    const { default: Hls } = await import("hls");
    const hls = new Hls({ enableWorker: false, startPosition: 0, liveDurationInfinity: false, maxBufferLength: 30 });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_name, error) => error.fatal && this.#trouble());
    const buffered = new Promise((resolve) => hls.on(Hls.Events.FRAG_BUFFERED, resolve));
    hls.loadSource(this.#root.dataset.playlist ?? "");
    hls.attachMedia(this.#audio);
    await Promise.race([buffered, new Promise((resolve) => setTimeout(resolve, 5000))]);
    return true;
  }

  #drawLanes() {
    const list = find("[data-lanes]");
    const rows = this.drawn.voices.map((voice) => {
      const row = clone("[data-lane-row]", HTMLLIElement);
      row.dataset.lane = voice.user;
      row.dataset.colour = voice.colour;
      find(".name", HTMLElement, row).textContent = voice.name;
      return row;
    });
    list.replaceChildren(...rows);
    list.hidden = rows.length === 0;
    this.#wave = new Wave(find("[data-wave]"), this.player, this.drawn.peaks);
    const lanes = new Lanes(list, this.player, this.drawn.voices, this.drawn.peaks, []);
    this.#audio.addEventListener("loadedmetadata", () => lanes.draw());
    if (this.player instanceof SegmentPlayer) this.player.segments = this.drawn.segments;
    this.#wave.draw();
    new Range(find("[data-wave]"), this.player, {
      marks: () => true,
      range: () => this.range,
      choose: (from, to) => this.choose(from, to),
      tell,
    });
  }

  #controls() {
    find("[data-controls]").hidden = false;
    const play = find("[data-do=play]", HTMLButtonElement, this.#root);
    const mute = find("[data-do=mute]", HTMLButtonElement, this.#root);
    play.addEventListener("click", () => this.toggle());
    mute.addEventListener("click", () => this.mute());
    const speed = find("[data-speed]", HTMLSelectElement);
    speed.addEventListener("change", () => (this.player.speed = Number(speed.value)));
    this.player.addEventListener("state", () => {
      setIcon(play, this.player.playing ? "pause" : "play");
      this.#label();
    });
    this.#audio.addEventListener("volumechange", () => {
      write(find("[data-label]", HTMLElement, mute), say(this.#audio.muted ? "case_unmute" : "case_mute"));
      setIcon(mute, this.#audio.muted ? "sound-off" : "sound");
    });
    for (const name of ["from", "to"]) {
      find(`[data-range-form] [name=${name}]`, HTMLInputElement).addEventListener("change", () => this.#typed());
    }
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("a[data-from]") : null;
      if (link instanceof HTMLElement) this.choose(Number(link.dataset.from) / 1000, Number(link.dataset.to) / 1000);
    });
  }

  #typed() {
    const [from, to] = ["from", "to"].map((name) =>
      seconds(find(`[data-range-form] [name=${name}]`, HTMLInputElement).value),
    );
    if (from === null || to === null || from >= to) return;
    this.data.from = from;
    this.data.to = to;
    this.player.choose({ from, to });
    this.#label();
  }

  #label() {
    const { from, to } = this.range;
    const words = this.player.playing ? say("pause") : say("case_listen", { from: clock(from), to: clock(to) });
    write(find("[data-do=play] [data-label]", HTMLElement, this.#root), words);
  }

  #moved() {
    write(find("[data-now]"), clock(this.player.now));
    write(find("[data-all]"), clock(this.player.all));
    const at = Math.floor(this.player.now);
    if (at === this.#stageAt) return;
    this.#stageAt = at;
    if (this.#stageTimer) return;
    this.#stageTimer = setTimeout(() => this.#stage(), STAGE_WAIT);
  }

  async #stage() {
    this.#stageTimer = undefined;
    const at = this.#stageAt;
    const answer = await fetch(`${this.#root.dataset.stageUrl}?at=${at * 1000}`).catch(() => null);
    if (!answer?.ok) return;
    /** @type {{ people: { name: string, muted: boolean }[] }} */
    const { people } = await answer.json();
    const names = people.map(({ name, muted }) => (muted ? say("case_muted", { name }) : name)).join(", ");
    const text = names ? say("case_stage", { at: clock(at), names }) : say("case_stage_empty", { at: clock(at) });
    write(find("[data-stage]"), text);
  }

  async #again() {
    const drawn = await drawnFrom(this.#root.dataset.peaks ?? "");
    if (drawn) {
      this.drawn = drawn;
      this.player.given = drawn.duration_ms / 1000;
      if (this.player instanceof SegmentPlayer) this.player.segments = drawn.segments;
      if (this.#wave) this.#wave.peaks = drawn.peaks;
      this.#wave?.draw();
      this.player.tell("time");
    }
    if (this.drawn.live) setTimeout(() => this.#again(), AGAIN);
  }

  #trouble() {
    const box = find("[data-trouble]");
    box.textContent = say("case_sound_failed");
    box.hidden = false;
  }
}

/**
 * What can be played and drawn; null where the site gives none.
 * @param {string} address
 * @returns {Promise<Drawn | null>}
 */
export async function drawnFrom(address) {
  const answer = await fetch(address).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

/**
 * Room time as the site reads it back, with tenths.
 * @param {number} value in seconds
 */
export function exact(value) {
  const tenths = Math.round(value * 10) % 10;
  return tenths ? `${clock(Math.floor(Math.round(value * 10) / 10))}.${tenths}` : clock(Math.round(value));
}

/**
 * Typed room time in seconds; null for what is none.
 * @param {string} text
 */
export function seconds(text) {
  if (!/^(\d+:){0,2}\d+([.,]\d+)?$/.test(text.trim())) return null;
  return text
    .trim()
    .replace(",", ".")
    .split(":")
    .reduce((sum, part) => sum * 60 + Number(part), 0);
}
