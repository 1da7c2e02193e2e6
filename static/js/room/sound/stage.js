// A speaker's sound: the microphone goes out, the others come in, and both come back by themselves.
import { audioContext, Level } from "room/sound/level";
import { iceServers, Peer } from "room/sound/peer";

const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const WAITS = [0, 500, 1000, 2000, 4000, 8000]; // ms before each further try, plus up to as much again

/** @import { Ask } from "room/types" */

/**
 * Open a microphone; `device` is the id of one of `microphones()`, or nothing for the one the system prefers.
 * @returns {Promise<MediaStream>}
 */
export function openMicrophone(device = "") {
  const audio = device ? { ...MICROPHONE, deviceId: { exact: device } } : MICROPHONE;
  return navigator.mediaDevices.getUserMedia({ audio });
}

export async function microphones() {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((one) => one.kind === "audioinput");
}

/** @param {MediaStream} stream */
export function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * Events: `change` (see `state`: off, opening, on), `replaced` (the microphone is gone, another one goes on; detail: its
 * label), `mic_lost`, `elsewhere` (another page of this person has the microphone).
 */
export class Stage extends EventTarget {
  #ask;
  #speaker;
  /** @type {MediaStream | null} */
  #microphone = null;
  /** @type {MediaStream | null} the last one that ended by itself, for which another is being opened */
  #gone = null;
  /** @type {Peer | null} */
  #peer = null;
  /** @type {(() => void) | null} what takes the sound of the others away */
  #heard = null;
  /** @type {GainNode | null} the last before the loudspeaker */
  #volume = null;
  #hushed = false;
  #run = 0;
  #tries = 0;
  #open = false;
  state = "off";
  /** @type {Level | null} the microphone's */
  ownLevel = null;
  /** @type {Level | null} that of the others together */
  level = null;

  /**
   * @param {Ask} ask
   * @param {HTMLAudioElement} speaker the page's own
   */
  constructor(ask, speaker) {
    super();
    this.#ask = ask;
    this.#speaker = speaker;
  }

  /**
   * Take over a microphone and connect. It stays closed until `setMuted(false)`.
   * @param {MediaStream} microphone
   */
  async open(microphone) {
    this.close();
    this.#open = false;
    this.#take(microphone);
    await this.reconnect();
  }

  /** Whether the others are not heard, while one is oneself. */
  get hushed() {
    return this.#hushed;
  }

  set hushed(hushed) {
    this.#hushed = hushed;
    if (this.#volume) this.#volume.gain.value = hushed ? 0 : 1;
  }

  /**
   * A closed microphone sends silence; the connection stays, so that opening it is instant.
   * @param {boolean} muted
   */
  setMuted(muted) {
    this.#open = !muted;
    const track = this.#microphone?.getAudioTracks()[0];
    if (track) track.enabled = !muted;
  }

  /** The id of the microphone in use; empty for none. */
  get device() {
    return this.#microphone?.getAudioTracks()[0].getSettings().deviceId ?? "";
  }

  /**
   * Go on with another microphone, open or closed as the last one was; the connection stays. Rejects as
   * `openMicrophone`, and then the last one is still in use.
   * @param {string} [device] its id; the one that the system prefers unless named
   */
  async use(device = "") {
    const before = this.#microphone;
    const microphone = await openMicrophone(device);
    if (this.#microphone !== before || !before) return release(microphone); // stood up, or chose again, meanwhile
    this.#take(microphone);
    const [track] = microphone.getAudioTracks();
    const sender = this.#peer?.connection.getSenders().find((one) => one.track?.kind === "audio");
    await sender?.replaceTrack(track);
    release(before);
    this.dispatchEvent(new Event("change"));
  }

  /** After devices changed: a microphone that is gone is replaced, also where the browser does not end its track. */
  async lookAfter() {
    const { device } = this;
    const microphone = this.#microphone;
    if (!microphone || !device) return;
    const known = await microphones();
    if (known.every((one) => one.deviceId && one.deviceId !== device)) await this.#ended(microphone);
  }

  /** What WebRTC knows of the connection; null while there is none. */
  async stats() {
    return this.state === "on" && this.#peer ? this.#peer.connection.getStats() : null;
  }

  /** Whether sound flows, as far as the browser knows by now. */
  get isConnected() {
    return this.state === "on" && this.#peer?.isConnected === true;
  }

  /**
   * Anew and at once, with the same microphone, however long the wait for the next try: the media server restarted, the
   * network changed, or the line to the room is back.
   */
  async reconnect() {
    this.#tries = 0;
    await this.#anew();
  }

  async #anew() {
    if (!this.#microphone) return;
    const run = ++this.#run;
    this.#hangUp();
    this.#become("opening");
    try {
      await this.#connect(run);
    } catch (refused) {
      if (run === this.#run) this.#again(run, refused);
    }
  }

  /** Resolves when the connection stands or is given up: to `state`, which is no longer "opening". */
  async settled() {
    while (this.state === "opening") {
      await new Promise((changed) => this.addEventListener("change", changed, { once: true }));
    }
    return this.state;
  }

  close() {
    this.#run += 1;
    this.#hangUp();
    this.ownLevel?.stop();
    this.ownLevel = null;
    if (this.#microphone) release(this.#microphone);
    this.#microphone = null;
    this.#become("off");
  }

  /** @param {MediaStream} microphone */
  #take(microphone) {
    const [track] = microphone.getAudioTracks();
    track.enabled = this.#open;
    track.addEventListener("ended", () => this.#ended(microphone));
    this.ownLevel?.stop();
    this.ownLevel = new Level(microphone);
    this.#microphone = microphone;
  }

  /**
   * The device was unplugged, or the browser took the microphone away: the one that the system prefers goes on.
   * @param {MediaStream} microphone the one that ended
   */
  async #ended(microphone) {
    if (this.#microphone !== microphone || this.#gone === microphone) return;
    this.#gone = microphone;
    try {
      await this.use();
    } catch (error) {
      console.info("microphone", error.name);
      if (this.#microphone === microphone) this.#lostMicrophone();
      return;
    }
    const label = this.#microphone?.getAudioTracks()[0].label ?? "";
    if (this.#microphone) this.dispatchEvent(new CustomEvent("replaced", { detail: label }));
  }

  /** @param {number} run */
  async #connect(run) {
    const servers = await iceServers(this.#ask);
    if (run !== this.#run) return;
    const peer = new Peer({
      ask: this.#ask,
      handle: "speak",
      servers,
      failed: () => run === this.#run && this.#anew(),
    });
    this.#peer = peer;
    const microphone = this.#microphone;
    if (!microphone) return;
    for (const track of microphone.getTracks()) peer.connection.addTrack(track, microphone);
    /** @type {Promise<MediaStream>} */
    const heard = new Promise(
      (resolve) => (peer.connection.ontrack = (event) => resolve(new MediaStream([event.track]))),
    );
    const { gain } = await peer.offer("speak_offer");
    heard.then((stream) => run === this.#run && this.#hear(stream, gain));
    const good = await peer.connected(10_000);
    if (run !== this.#run) return;
    if (!good) throw Object.assign(new Error("not connected"), { code: "not_connected" });
    this.#tries = 0;
    this.setMuted(!this.#open);
    this.#become("on");
  }

  /**
   * @param {number} run
   * @param {any} refused
   */
  #again(run, refused) {
    console.info("stage", refused.code ?? refused);
    this.#hangUp();
    if (refused.code === "mic_elsewhere") return this.#elsewhere();
    if (["not_on_stage", "room_ended", "not_consented"].includes(refused.code)) return this.close();
    const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)];
    this.#tries += 1;
    setTimeout(() => run === this.#run && this.#anew(), wait * (1 + Math.random()));
  }

  /**
   * What the others say, made as loud as it was: `factor` of the amplitude makes up for the quiet mix, then a limiter so
   * that many at once do not distort.
   * @param {MediaStream} stream
   * @param {number} factor
   */
  #hear(stream, factor) {
    const context = audioContext();
    // Chromium lets a remote stream flow into WebAudio only while an element plays it too.
    this.#speaker.srcObject = stream;
    this.#speaker.muted = true;
    this.#speaker.play().catch((error) => console.info("play", error.name));
    const source = context.createMediaStreamSource(stream);
    const gain = new GainNode(context, { gain: factor });
    const limiter = new DynamicsCompressorNode(context, {
      threshold: -3,
      knee: 0,
      ratio: 20,
      attack: 0.002,
      release: 0.1,
    });
    const volume = new GainNode(context, { gain: this.#hushed ? 0 : 1 });
    this.#volume = volume;
    source.connect(gain).connect(limiter).connect(volume).connect(context.destination);
    const louder = context.createMediaStreamDestination();
    gain.connect(louder);
    this.level = new Level(louder.stream);
    this.#heard = () => [source, gain, limiter, volume].forEach((node) => node.disconnect());
    context.resume();
  }

  #hangUp() {
    this.#peer?.close();
    this.#peer = null;
    this.#heard?.();
    this.#heard = null;
    this.#volume = null;
    this.level?.stop();
    if (this.level) this.#speaker.srcObject = null;
    this.level = null;
  }

  #lostMicrophone() {
    this.close();
    this.dispatchEvent(new Event("mic_lost"));
  }

  #elsewhere() {
    this.close();
    this.dispatchEvent(new Event("elsewhere"));
  }

  /** @param {string} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
