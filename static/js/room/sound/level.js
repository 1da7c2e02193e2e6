// How loud a stream is now, from 0 to 1, for rings and meters.

const FLOOR = -55; // dBFS that draws as 0
const TOP = -15; // dBFS that draws as 1

/** @type {AudioContext | undefined} */
let shared;

/** The one AudioContext of the page: browsers count them, and start them only after a click. */
export function audioContext() {
  shared ??= new AudioContext({ latencyHint: "interactive" });
  return shared;
}

/** May sound start without a click? Chrome lets a page that was clicked on before; others want a click here. */
export async function soundMayStart() {
  const context = audioContext();
  const runs = () => context.state === "running";
  if (runs()) return true;
  await Promise.race([context.resume().catch(() => {}), new Promise((done) => setTimeout(done, 250))]);
  return runs();
}

/** Resolves with the first click or key on this page from now on. */
export function firstTouch() {
  return new Promise((touched) => {
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touched, { once: true });
  });
}

export class Level {
  #analyser;
  #source;
  #samples;
  #smooth = 0;

  /** @param {MediaStream} stream only listened to: what is heard does not pass through here */
  constructor(stream) {
    const context = audioContext();
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  /** Reads the level; rises at once and falls slowly, so that a ring breathes and does not flicker. */
  read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibel = 10 * Math.log10(sum / this.#samples.length + 1e-12);
    const now = Math.min(1, Math.max(0, (decibel - FLOOR) / (TOP - FLOOR)));
    this.#smooth = Math.max(now, this.#smooth * 0.88);
    return this.#smooth;
  }

  stop() {
    this.#source.disconnect();
  }
}

/**
 * Call `draw` every frame while the page is seen; returns what stops it.
 * @param {() => void} draw
 */
export function everyFrame(draw) {
  let running = true;
  const step = () => {
    if (!running) return;
    draw();
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
  return () => {
    running = false;
  };
}
