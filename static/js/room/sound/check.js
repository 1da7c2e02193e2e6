// The check before the stage: consent first, then the microphone, and whether this network lets one speak.
import { audioContext, everyFrame, Level } from "room/sound/level";
import { iceServers, Peer } from "room/sound/peer";
import { microphones, openMicrophone } from "room/sound/stage";
import { find } from "shared/dom";
import { setIcon } from "shared/icons";
import { say } from "shared/words";

/** @import { Ask } from "room/types" */
/** @import { Word } from "shared/word" */

const HEARD_MS = 3000;
const NETWORK_MS = 6000;
/** @type {Record<string, Word>} */
const REASONS = { NotAllowedError: "check_denied", NotFoundError: "check_none", OverconstrainedError: "check_none" };

/**
 * A sentence on why a microphone could not be opened.
 * @param {Error} error
 */
export function microphoneTrouble(error) {
  return say(REASONS[error.name] ?? "check_busy");
}

/**
 * Write a verdict line: good, bad, or neither yet. Without a text it is not seen.
 * @param {HTMLElement} line
 * @param {"good" | "bad" | ""} kind
 * @param {string} text
 */
function verdict(line, kind, text) {
  line.classList.toggle("good", kind === "good");
  line.classList.toggle("bad", kind === "bad");
  setIcon(line, { good: "check", bad: "warn", "": "clock" }[kind]);
  find("span", HTMLElement, line).textContent = text;
  line.hidden = !text;
}

/**
 * Can a voice leave this network? true, false, or null if that could not be found out.
 * @param {Ask} ask
 */
export async function tryNetwork(ask) {
  let peer = null;
  try {
    peer = new Peer({ ask, handle: "check", servers: await iceServers(ask) });
    const silence = audioContext().createMediaStreamDestination().stream;
    peer.connection.addTrack(silence.getAudioTracks()[0], silence);
    await peer.offer("check_offer");
    return await peer.connected(NETWORK_MS);
  } catch (refused) {
    console.info("check", refused.code ?? refused);
    return null;
  } finally {
    peer?.close();
    ask("check_stop").catch((refused) => console.info("check_stop", refused.code));
  }
}

/**
 * Record a few seconds of `stream` and play them back. Resolves to whether anything was said.
 * @param {MediaStream} stream
 * @param {(key: Word) => void} tell
 */
async function hearOneself(stream, tell) {
  /** @type {Blob[]} */
  const parts = [];
  const level = new Level(stream);
  let loudest = 0;
  const stop = everyFrame(() => (loudest = Math.max(loudest, level.read())));
  const recorder = new MediaRecorder(stream);
  recorder.ondataavailable = (event) => parts.push(event.data);
  const done = new Promise((resolve) => (recorder.onstop = resolve));
  tell("check_recording");
  recorder.start();
  setTimeout(() => recorder.state === "recording" && recorder.stop(), HEARD_MS);
  await done;
  stop();
  level.stop();
  if (loudest < 0.05) return false;
  tell("check_playing");
  const player = new Audio(URL.createObjectURL(new Blob(parts, { type: recorder.mimeType })));
  await new Promise((resolve) => {
    player.onended = player.onerror = resolve;
    player.play().catch(resolve);
  });
  URL.revokeObjectURL(player.src);
  return true;
}

/**
 * What came of a check: the open microphone, if there is one.
 * @typedef {{ microphone: MediaStream | null }} Checked
 */

export class Check {
  #sheet = find("#check-sheet", HTMLDialogElement);
  #ask;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {Level | null} */
  #level = null;
  /** @type {(() => void) | null} */
  #stopMeter = null;
  /** @type {((checked: Checked | null) => void) | null} */
  #finish = null;
  /** @type {boolean | null} */
  #network = null;
  /** @type {Word} */
  #label = "go_seat";
  #isOptional = false;
  /** @type {((captionsOff: boolean | null) => Promise<void>) | null} */
  #agree = null;
  #consent = find("[data-check-consent]", HTMLInputElement, this.#sheet);
  #captionsOff = find("[data-check-captions-off]", HTMLInputElement, this.#sheet);
  #device = find("[data-check-device]", HTMLSelectElement, this.#sheet);
  #goButton = find("[data-check-go]", HTMLButtonElement, this.#sheet);
  #hearButton = find("[data-check-hear]", HTMLButtonElement, this.#sheet);

  /** @param {Ask} ask */
  constructor(ask) {
    this.#ask = ask;
    this.#on("cancel", "click", () => this.#end(null));
    this.#on("go", "click", () => this.#go());
    this.#on("consent", "change", () => this.#draw());
    this.#on("open", "click", () => this.#openMicrophone());
    this.#on("device", "change", () => this.#openMicrophone(this.#device.value));
    this.#on("hear", "click", () => this.#hear());
    this.#sheet.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#end(null);
    });
  }

  /**
   * Opens the dialog. Resolves to what came of it, or null if the person thought better of it. `agree` is called before
   * the end with whether they want no captions of their words (null: the room has none). `why` is a sentence above all; `isOptional` asks
   * for consent alone, and the microphone may be tried.
   * @param {{ consented: boolean, captionsOff: boolean, agree: (captionsOff: boolean | null) => Promise<void>, label: Word,
   *   why?: string, isOptional?: boolean }} options
   * @returns {Promise<Checked | null>}
   */
  run({ consented, captionsOff, agree, label, why = "", isOptional = false }) {
    this.#captionsOff.checked = captionsOff;
    this.#consent.checked = this.#consent.disabled = consented;
    this.#label = label;
    this.#isOptional = isOptional;
    this.#network = null;
    this.#agree = agree;
    this.#part("why").hidden = !why;
    this.#part("why").textContent = why;
    this.#part("insecure").hidden = window.isSecureContext;
    this.#part("optional").hidden = !isOptional;
    this.#part("net-step").hidden = isOptional;
    verdict(this.#part("mic-wrong"), "bad", "");
    this.#wrong("");
    this.#draw();
    this.#sheet.showModal();
    if (!window.isSecureContext) verdict(this.#part("net"), "bad", say("check_insecure"));
    else if (!isOptional) this.#tryNetwork();
    if (consented && !isOptional) this.#openMicrophone();
    return new Promise((resolve) => (this.#finish = resolve));
  }

  /** @param {string} name */
  #part(name) {
    return find(`[data-check-${name}]`, HTMLElement, this.#sheet);
  }

  /**
   * @param {string} name
   * @param {string} event
   * @param {() => void} act
   */
  #on(name, event, act) {
    this.#part(name).addEventListener(event, act);
  }

  #draw() {
    const agreed = this.#consent.checked;
    this.#part("mic").inert = !agreed || !window.isSecureContext;
    this.#part("open").hidden = this.#stream !== null;
    this.#part("opened").hidden = this.#stream === null;
    this.#goButton.disabled = !agreed || (this.#stream === null && !this.#isOptional);
    this.#goButton.textContent = say(this.#network === false && !this.#isOptional ? "go_anyway" : this.#label);
    if (!agreed) this.#letGo();
  }

  /** @param {string} text */
  #wrong(text) {
    verdict(this.#part("wrong"), "bad", text);
  }

  async #tryNetwork() {
    this.#part("net-step").hidden = false;
    verdict(this.#part("net"), "", say("net_trying"));
    this.#network = await tryNetwork(this.#ask);
    const good = this.#network;
    if (good === null) verdict(this.#part("net"), "", say("net_unknown"));
    else verdict(this.#part("net"), good ? "good" : "bad", say(good ? "net_good" : "net_bad"));
    this.#draw();
  }

  async #openMicrophone(device = "") {
    if (!window.isSecureContext) return;
    this.#letGo();
    verdict(this.#part("mic-wrong"), "bad", "");
    try {
      this.#stream = await openMicrophone(device);
    } catch (error) {
      verdict(this.#part("mic-wrong"), "bad", microphoneTrouble(error));
      this.#draw();
      return;
    }
    if (!this.#sheet.open) return this.#letGo();
    if (this.#part("net-step").hidden) this.#tryNetwork();
    const hadFocus = document.activeElement === this.#part("open") || document.activeElement === document.body;
    const stream = this.#stream;
    await this.#listDevices(stream);
    if (this.#stream !== stream) return; // it was taken to the stage, or let go, meanwhile
    this.#draw();
    if (hadFocus) this.#device.focus(); // the next steps are in their order from here
    this.#meter(stream);
  }

  /** @param {MediaStream} stream the one that is open */
  async #listDevices(stream) {
    const now = stream.getAudioTracks()[0].getSettings().deviceId;
    const options = (await microphones()).map(
      (one, n) =>
        new Option(one.label || `${say("check_default")} ${n + 1}`, one.deviceId, false, one.deviceId === now),
    );
    this.#device.replaceChildren(...options);
  }

  /** @param {MediaStream} stream */
  #meter(stream) {
    audioContext().resume();
    const reading = new Level(stream);
    this.#level = reading;
    const meter = this.#part("meter");
    this.#stopMeter = everyFrame(() => {
      const level = reading.read();
      meter.style.setProperty("--level", level.toFixed(2));
      meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
    });
  }

  async #hear() {
    if (!this.#stream) return;
    const tell = (/** @type {Word} */ key) => {
      this.#part("heard").textContent = say(key);
    };
    this.#hearButton.disabled = true;
    const heard = await hearOneself(this.#stream, tell);
    tell(heard ? "check_played" : "check_silent");
    this.#hearButton.disabled = false;
  }

  async #go() {
    this.#goButton.disabled = true;
    try {
      await this.#agree?.(this.#part("captions").hidden ? null : this.#captionsOff.checked);
    } catch (refused) {
      this.#wrong(refused.code === "offline" ? say("failed") : refused.message);
      this.#draw();
      return;
    }
    const microphone = this.#stream;
    this.#stream = null;
    this.#end({ microphone });
  }

  /** @param {Checked | null} checked */
  #end(checked) {
    this.#letGo();
    this.#sheet.close();
    this.#finish?.(checked);
    this.#finish = null;
  }

  /** The microphone closes with the dialog, unless it goes to the stage. */
  #letGo() {
    this.#stopMeter?.();
    this.#level?.stop();
    this.#stopMeter = this.#level = null;
    this.#stream?.getTracks().forEach((track) => track.stop());
    if (this.#stream) {
      this.#stream = null;
      this.#part("open").hidden = false;
      this.#part("opened").hidden = true;
    }
  }
}
