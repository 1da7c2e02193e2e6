// A listener's sound: directly by WebRTC if it connects within four seconds, else by HLS a few seconds later.

import { loadHls, loadPlayer } from "room/sound/hls_player";
import { audioContext, Level } from "room/sound/level";
import { iceServers, Peer } from "room/sound/peer";

const SOON = 4000; // ms in which WebRTC must connect
const AGAIN = 1500; // ms
const TICKET_LASTS = 40_000; // ms for which a ticket is used; the next one comes long before

/** @import { Ask } from "room/types" */
/** @import HlsPlayer from "hls" */

/** Events: `change`. `state`: off, starting, playing, blocked (the browser wants a click); `path`: webrtc, hls. */
export class Audience extends EventTarget {
  #ask;
  #element;
  #playlist; // the list that is checked for this listener
  #asStaff;
  #ticket = { url: "", until: 0 };
  /** @type {Peer | null} */
  #peer = null;
  /** @type {HlsPlayer | null} */
  #player = null;
  #run = 0;
  #hushed = false;
  #lacksLine = false; // WebRTC was given up because there was no line to ask by
  state = "off";
  /** @type {"webrtc" | "hls" | null} */
  path = null;
  /** @type {Level | null} */
  level = null;

  /**
   * @param {Ask} ask
   * @param {HTMLAudioElement} element
   * @param {string} slug
   * @param {boolean} asStaff
   */
  constructor(ask, element, slug, asStaff) {
    super();
    this.#ask = ask;
    this.#element = element;
    this.#playlist = `/r/${slug}/${asStaff ? "staff/" : ""}live.m3u8`;
    this.#asStaff = asStaff;
  }

  /**
   * The address of the list that any cache may serve, where the room is open to anyone; it changes all the time.
   * @param {string | null} url
   */
  offer(url) {
    if (!this.#asStaff) this.#ticket = { url: url ?? "", until: url ? Date.now() + TICKET_LASTS : 0 };
  }

  /** Where the list is asked for now. */
  get #list() {
    return Date.now() < this.#ticket.until ? this.#ticket.url : this.#playlist;
  }

  get isOn() {
    return this.state !== "off" && this.state !== "blocked";
  }

  /** Whether sound comes by the path that suits this network, as far as the browser knows by now. */
  get isConnected() {
    return !this.#lacksLine && (this.path !== "webrtc" || this.#peer?.isConnected === true);
  }

  /** When what plays was said (ms since 1970, by the server's clock), where it comes seconds late; null elsewhere. */
  get playingAt() {
    if (this.path !== "hls") return null;
    if (this.#player) return this.#player.playingDate?.getTime() ?? null;
    const element = /** @type {HTMLMediaElement & { getStartDate?: () => Date }} */ (this.#element);
    const at = (element.getStartDate?.().getTime() ?? Number.NaN) + 1000 * element.currentTime;
    return Number.isNaN(at) ? null : at;
  }

  /** Whether it plays without being heard. */
  get hushed() {
    return this.#hushed;
  }

  set hushed(hushed) {
    this.#hushed = hushed;
    if (this.isOn) this.#element.muted = hushed; // else the element is the stage's, which keeps it silent
  }

  /** Starts, or starts again. Call it from a click where the browser wants one. */
  async start() {
    const run = ++this.#run;
    audioContext().resume(); // for the ring; from a click, browsers allow it
    this.#hangUp();
    this.#lacksLine = false;
    this.#become("starting");
    if (!(await this.#near(run)) && run === this.#run) await this.#far(run);
  }

  stop() {
    this.#run += 1;
    this.#hangUp();
    this.#become("off");
  }

  /** The media server restarted, or the line to the room is back. Spread out: hundreds do the same now. */
  restart(within = 1000) {
    const run = this.#run;
    setTimeout(() => run === this.#run && this.isOn && this.start(), Math.random() * within);
  }

  /**
   * WebRTC; false if it did not come about soon, and HLS shall be used.
   * @param {number} run
   * @returns {Promise<boolean>}
   */
  async #near(run) {
    const wanted = { still: true };
    const late = new Promise((resolve) => setTimeout(resolve, SOON, false));
    const good = await Promise.race([late, this.#connectNear(() => wanted.still && run === this.#run)]);
    wanted.still = false;
    return good || (run === this.#run ? this.#giveUpNear() : true);
  }

  /**
   * @param {() => boolean} wanted
   * @returns {Promise<boolean>}
   */
  async #connectNear(wanted) {
    const run = this.#run;
    try {
      const [servers, offer] = await Promise.all([iceServers(this.#ask), this.#ask("listen")]);
      this.offer(offer.list);
      if (!wanted() || offer.use !== "webrtc") return false;
      const peer = new Peer({
        ask: this.#ask,
        handle: "listen",
        servers,
        failed: () => run === this.#run && this.start(),
      });
      this.#peer = peer;
      const stream = new MediaStream();
      peer.connection.ontrack = (event) => stream.addTrack(event.track);
      await peer.answer(offer.sdp, "listen_answer");
      if (!(await peer.connected(SOON)) || !wanted()) return false;
      this.#playStream(run, stream);
      return true;
    } catch (refused) {
      console.info("listen", refused.code ?? refused);
      if (run === this.#run) this.#lacksLine = refused.code === "offline";
      return false;
    }
  }

  #giveUpNear() {
    this.#hangUp();
    this.#ask("listen_stop").catch((refused) => console.info("listen_stop", refused.code));
    return false;
  }

  /**
   * @param {number} run
   * @param {MediaStream} stream
   */
  #playStream(run, stream) {
    this.path = "webrtc";
    this.#element.srcObject = stream;
    this.level = new Level(stream);
    this.#play(run);
  }

  /**
   * HLS: Safari's own player, hls.js elsewhere (Chromium's own starts at the room's beginning).
   * @param {number} run
   */
  async #far(run) {
    this.path = "hls";
    const url = this.#playlist;
    if (navigator.vendor.startsWith("Apple") && this.#element.canPlayType("application/vnd.apple.mpegurl")) {
      this.#element.src = url;
      this.#element.onerror = () => setTimeout(() => run === this.#run && this.#far(run), AGAIN);
    } else {
      const Hls = await loadPlayer(() => run === this.#run);
      if (!Hls) return;
      const lists = { now: () => this.#list, refused: (/** @type {string} */ used) => this.#refused(used) };
      this.#player = loadHls(Hls, lists, this.#element, () => run === this.#run);
    }
    await this.#play(run);
    if (run === this.#run) this.#measureElement(run);
  }

  /**
   * The site does not take this ticket any more: the room ended, or is not open to anyone now.
   * @param {string} used
   */
  #refused(used) {
    if (used === this.#ticket.url) this.offer(null);
  }

  /**
   * Where the element's own sound can be read without passing through WebAudio, the ring follows it.
   * @param {number} run
   */
  #measureElement(run) {
    const element = /** @type {HTMLMediaElement & { captureStream?: () => MediaStream }} */ (this.#element);
    const measure = () => {
      if (run !== this.#run || this.level || !element.captureStream) return;
      const stream = element.captureStream();
      if (stream.getAudioTracks().length > 0) this.level = new Level(stream);
      else setTimeout(measure, 1000);
    };
    measure();
  }

  /** @param {number} run */
  async #play(run) {
    this.#element.muted = this.#hushed;
    try {
      await this.#element.play();
      if (run === this.#run) this.#become("playing");
    } catch (error) {
      if (run !== this.#run) return;
      if (error.name !== "NotAllowedError") return console.info("play", error.name);
      this.stop();
      this.#become("blocked");
    }
  }

  #hangUp() {
    this.#peer?.close();
    this.#peer = null;
    this.#player?.destroy();
    this.#player = null;
    this.level?.stop();
    this.level = null;
    this.path = null;
    this.#element.onerror = null;
    this.#element.pause();
    if (this.#element.srcObject) this.#element.srcObject = null;
    else if (this.#element.src) {
      this.#element.removeAttribute("src");
      this.#element.load();
    }
  }

  /** @param {string} state */
  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
