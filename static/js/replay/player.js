// The sound, and all that moves it. Listeners are told "time" (it moved) and "part" (a part was chosen or left).

const STEP = 10;

/** @import { Part } from "replay/types" */

export class Player extends EventTarget {
  /** @type {number | undefined} where to go once something is known of the file, in seconds */
  #wanted;
  /** @type {Part | null} */
  part = null;

  /**
   * @param {HTMLAudioElement} audio
   * @param {number} seconds how long it is, until the file itself says so
   */
  constructor(audio, seconds) {
    super();
    this.audio = audio;
    this.given = seconds;
    audio.addEventListener("timeupdate", () => this.moved());
    audio.addEventListener("seeking", () => this.moved());
    audio.addEventListener("play", () => this.follow());
    for (const name of ["play", "pause", "ended", "ratechange"]) audio.addEventListener(name, () => this.tell("state"));
    audio.addEventListener("error", () => this.tell("trouble"));
  }

  get now() {
    return this.#wanted ?? this.audio.currentTime;
  }

  get all() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.given;
  }

  get playing() {
    return !this.audio.paused;
  }

  /** @param {"time" | "state" | "part" | "trouble"} name */
  tell(name) {
    this.dispatchEvent(new Event(name));
  }

  /** timeupdate comes four times a second: while it plays, look at every frame. */
  follow() {
    const look = () => {
      if (!this.playing) return;
      this.moved();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }

  moved() {
    if (this.part?.to && this.playing && this.audio.currentTime >= this.part.to) {
      this.audio.pause();
      this.part = { ...this.part, over: true };
    }
    this.tell("time");
  }

  /** @param {number} seconds */
  seek(seconds) {
    const to = Math.min(Math.max(0, seconds), Math.max(0, this.all - 0.05));
    if (this.part?.to && (to < this.part.from - 0.2 || to >= this.part.to)) this.choose(null);
    if (this.audio.readyState === 0) {
      // Nothing is known of the file yet: a seek now would be lost.
      this.#wanted = to;
      this.audio.addEventListener("loadedmetadata", () => this.arrive(), { once: true });
    } else this.audio.currentTime = to;
    this.tell("time");
  }

  arrive() {
    if (this.#wanted === undefined) return;
    this.audio.currentTime = this.#wanted;
    this.#wanted = undefined;
  }

  /**
   * A part to be played and no more, or null.
   * @param {Part | null} part
   */
  choose(part) {
    this.part = part;
    this.tell("part");
  }

  toggle() {
    if (this.playing) return this.audio.pause();
    if (this.part?.over) this.choose(null);
    return this.audio.play().catch((error) => error.name !== "AbortError" && this.tell("trouble"));
  }

  back = () => this.seek(this.now - STEP);
  ahead = () => this.seek(this.now + STEP);

  /** @param {number} rate */
  set speed(rate) {
    this.audio.playbackRate = rate;
    this.audio.preservesPitch = true;
  }
}
