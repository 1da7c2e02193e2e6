// The check before the stage: consent first, then the microphone, and whether this network lets one speak.
import { audioContext, everyFrame, Level } from "room/level";
import { iceServers, Peer } from "room/peer";
import { microphones, openMicrophone } from "room/stage";
import { verdict } from "room/view";
import { say } from "room/words";

const HEARD_MS = 3000;
const NETWORK_MS = 6000;
const REASONS = { NotAllowedError: "check_denied", NotFoundError: "check_none", OverconstrainedError: "check_none" };

export function microphoneTrouble(error) {
  return say(REASONS[error.name] ?? "check_busy");
}

/** Can a voice leave this network? true, false, or null if that could not be found out. */
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

/** Records a few seconds of `stream` and plays them back. Resolves to whether anything was said. */
async function hearOneself(stream, tell) {
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

export class Check {
  #sheet = document.getElementById("check-sheet");
  #ask;
  #stream = null;
  #level = null;
  #stopMeter = null;
  #finish = null;
  #network = null;

  constructor(ask) {
    this.#ask = ask;
    this.#on("cancel", "click", () => this.#end(null));
    this.#on("go", "click", () => this.#go());
    this.#on("consent", "change", () => this.#draw());
    this.#on("open", "click", () => this.#openMicrophone());
    this.#on("device", "change", (event) => this.#openMicrophone(event.target.value));
    this.#on("hear", "click", () => this.#hear());
    this.#sheet.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#end(null);
    });
  }

  /**
   * Opens the dialog. Resolves to the open microphone (a stream), or null if the person thought better of it.
   * `agree` is called once, before the end, if they had not agreed to being recorded before.
   */
  run({ consented, agree, label }) {
    const consent = this.#part("consent");
    consent.checked = consent.disabled = consented;
    this.#label = label;
    this.#agree = consented ? null : agree;
    this.#part("insecure").hidden = window.isSecureContext;
    this.#wrong("");
    this.#draw();
    this.#sheet.showModal();
    if (window.isSecureContext) this.#tryNetwork();
    else verdict(this.#part("net"), "bad", say("check_insecure"));
    if (consented) this.#openMicrophone();
    return new Promise((resolve) => (this.#finish = resolve));
  }

  #label = "go_seat";
  #agree = null;

  #part(name) {
    return this.#sheet.querySelector(`[data-check-${name}]`);
  }

  #on(name, event, act) {
    this.#part(name).addEventListener(event, act);
  }

  #draw() {
    const agreed = this.#part("consent").checked && window.isSecureContext;
    this.#part("mic").inert = !agreed;
    this.#part("open").hidden = this.#stream !== null;
    this.#part("opened").hidden = this.#stream === null;
    this.#part("go").disabled = !agreed || this.#stream === null;
    this.#part("go").textContent = say(this.#network === false ? "go_anyway" : this.#label);
    if (!agreed) this.#letGo();
  }

  #wrong(text) {
    verdict(this.#part("wrong"), "bad", text);
  }

  async #tryNetwork() {
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
    const hadFocus = document.activeElement === this.#part("open") || document.activeElement === document.body;
    const stream = this.#stream;
    await this.#listDevices();
    if (this.#stream !== stream) return; // it was taken to the stage, or let go, meanwhile
    this.#draw();
    if (hadFocus) this.#part("go").focus();
    this.#meter();
  }

  async #listDevices() {
    const now = this.#stream.getAudioTracks()[0].getSettings().deviceId;
    const options = (await microphones()).map(
      (one, n) =>
        new Option(one.label || `${say("check_default")} ${n + 1}`, one.deviceId, false, one.deviceId === now),
    );
    this.#part("device").replaceChildren(...options);
  }

  #meter() {
    audioContext().resume();
    this.#level = new Level(this.#stream);
    const meter = this.#part("meter");
    this.#stopMeter = everyFrame(() => {
      const level = this.#level.read();
      meter.style.setProperty("--level", level.toFixed(2));
      meter.setAttribute("aria-valuenow", Math.round(level * 100));
    });
  }

  async #hear() {
    const tell = (key) => (this.#part("heard").textContent = say(key));
    this.#part("hear").disabled = true;
    const heard = await hearOneself(this.#stream, tell);
    tell(heard ? "check_played" : "check_silent");
    this.#part("hear").disabled = false;
  }

  async #go() {
    this.#part("go").disabled = true;
    try {
      await this.#agree?.();
    } catch (refused) {
      this.#wrong(refused.code === "offline" ? say("failed") : refused.message);
      this.#draw();
      return;
    }
    const stream = this.#stream;
    this.#stream = null;
    this.#end(stream);
  }

  #end(stream) {
    this.#letGo();
    this.#sheet.close();
    this.#finish?.(stream);
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
