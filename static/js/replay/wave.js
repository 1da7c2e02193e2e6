// The waveform: drawn once in two colours, the played part uncovered by CSS. A slider lies over it, and its range (`Range`).
import { find } from "shared/dom";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */
/** @import { Peaks } from "replay/types" */

const BAR = 3; // CSS pixels a bar takes, its gap included

export class Wave {
  /**
   * @param {HTMLElement} root
   * @param {Player} player
   * @param {Peaks | null} peaks
   */
  constructor(root, player, peaks) {
    this.root = root;
    this.player = player;
    this.peaks = peaks;
    this.slider = find("[data-position]", HTMLInputElement, root);
    this.slider.addEventListener("input", () => player.seek(Number(this.slider.value)));
    player.addEventListener("time", () => this.move());
    new ResizeObserver(() => this.draw()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.move();
  }

  move() {
    const { now, all } = this.player;
    this.root.style.setProperty("--at", `${all ? (100 * now) / all : 0}%`);
    this.slider.max = String(all || 0);
    const far = Math.abs(this.slider.valueAsNumber - now) > 0.3;
    if (document.activeElement !== this.slider || far) this.slider.value = String(now);
    const text = say("position", { at: clock(now), all: clock(all) });
    if (this.slider.getAttribute("aria-valuetext") !== text) this.slider.setAttribute("aria-valuetext", text);
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    this.paint("[data-rest]", style.getPropertyValue("--edge"));
    this.paint("[data-played]", style.getPropertyValue("--accent"));
  }

  /**
   * @param {string} which a selector of a canvas
   * @param {string} colour
   */
  paint(which, colour) {
    const canvas = find(which, HTMLCanvasElement, this.root);
    const { clientWidth: width, clientHeight: height } = this.root;
    const dense = devicePixelRatio || 1;
    canvas.width = width * dense;
    canvas.height = height * dense;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.scale(dense, dense);
    pen.fillStyle = colour;
    const bars = Math.floor(width / BAR);
    const loudest = Math.max(8, ...(this.peaks?.high ?? []), ...(this.peaks?.low ?? []).map((value) => -value));
    for (let bar = 0; bar < bars; bar += 1) {
      const [low, high] = this.between(bar / bars, (bar + 1) / bars);
      const top = (height / 2) * (1 - high / loudest);
      const bottom = (height / 2) * (1 - low / loudest);
      pen.beginPath();
      pen.roundRect(bar * BAR, Math.min(top, height / 2 - 1), BAR - 1, Math.max(2, bottom - top), 1);
      pen.fill();
    }
  }

  /**
   * Lowest and highest sample in a stretch of the whole, both ends from 0 to 1.
   * @param {number} from
   * @param {number} to
   */
  between(from, to) {
    if (!this.peaks?.high.length) return [0, 0];
    const whole = (this.player.all * 1000) / this.peaks.bin_ms;
    const first = Math.floor(from * whole);
    const last = Math.max(first + 1, Math.ceil(to * whole));
    const low = Math.min(0, ...this.peaks.low.slice(first, last));
    return [low, Math.max(0, ...this.peaks.high.slice(first, last))];
  }
}
