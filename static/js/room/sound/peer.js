// One WebRTC connection to the house: candidates travel as they are found, and its end is told once.

const SHAKY = 4000; // ms that a connection may be "disconnected" before it counts as failed

/** @import { Ask } from "room/types" */

/**
 * The house's ICE servers; TURN passwords in them live for hours, so they are asked for each time.
 * @param {Ask} ask
 * @returns {Promise<RTCIceServer[]>}
 */
export async function iceServers(ask) {
  const { servers } = await ask("ice");
  return servers;
}

export class Peer {
  #ask;
  #handle;
  /** @type {(RTCIceCandidateInit | null)[] | null} candidates that wait for the other side to know of us */
  #held = [];
  #shaky = 0;
  #over = false;

  /**
   * `handle` is "speak", "listen" or "check"; `failed` is called at most once.
   * @param {{ ask: Ask, handle: string, servers: RTCIceServer[], failed?: () => void }} options
   */
  constructor({ ask, handle, servers, failed }) {
    this.#ask = ask;
    this.#handle = handle;
    this.failed = failed;
    this.connection = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
    this.connection.onicecandidate = (event) => this.#candidate(event.candidate?.toJSON() ?? null);
    this.connection.onconnectionstatechange = () => this.#watch();
  }

  /**
   * Our offer goes out, the answer comes back. Returns the whole reply.
   * @param {"speak_offer" | "check_offer"} verb
   */
  async offer(verb) {
    await this.connection.setLocalDescription(await this.connection.createOffer());
    const reply = await this.#ask(verb, { sdp: withoutPauses(this.connection.localDescription?.sdp ?? "") });
    await this.connection.setRemoteDescription({ type: "answer", sdp: reply.sdp });
    this.#release();
    return reply;
  }

  /**
   * Their offer came in; our answer goes out by `verb`.
   * @param {string} sdp
   * @param {"listen_answer"} verb
   */
  async answer(sdp, verb) {
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    await this.#ask(verb, { sdp: this.connection.localDescription?.sdp });
    this.#release();
  }

  /**
   * Resolves to whether sound can flow within `ms`.
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  connected(ms) {
    const { connection } = this;
    return new Promise((resolve) => {
      const look = () => {
        if (this.isConnected) finish(true);
        if (["failed", "closed"].includes(connection.connectionState)) finish(false);
      };
      const finish = (/** @type {boolean} */ answer) => {
        clearTimeout(timer);
        connection.removeEventListener("connectionstatechange", look);
        resolve(answer);
      };
      const timer = setTimeout(() => finish(false), ms);
      connection.addEventListener("connectionstatechange", look);
      look();
    });
  }

  get isConnected() {
    return this.connection.connectionState === "connected";
  }

  close() {
    this.#over = true;
    clearTimeout(this.#shaky);
    this.connection.close();
  }

  /** @param {RTCIceCandidateInit | null} candidate null: there are no more */
  #candidate(candidate) {
    if (this.#held) this.#held.push(candidate);
    else this.#send(candidate);
  }

  #release() {
    const held = this.#held ?? [];
    this.#held = null;
    held.forEach((candidate) => this.#send(candidate));
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  #send(candidate) {
    if (this.#over) return;
    // A candidate that is refused or lost is not the end: others, or the watch on the connection, decide.
    this.#ask("candidate", { handle: this.#handle, candidate }).catch((refused) =>
      console.info("candidate", refused.code),
    );
  }

  #watch() {
    clearTimeout(this.#shaky);
    const state = this.connection.connectionState;
    if (state === "failed") this.#fail();
    if (state === "disconnected") this.#shaky = setTimeout(() => this.#fail(), SHAKY);
  }

  #fail() {
    if (this.#over) return;
    this.close();
    this.failed?.();
  }
}

/**
 * Opus must not pause in silence (DTX): tracks are recorded, and a pause would shorten them.
 * @param {string} sdp
 */
function withoutPauses(sdp) {
  return sdp.replace(/;?usedtx=1/g, "");
}
