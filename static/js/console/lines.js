// The lines of the range: opened by a button, they follow the sound, seek when clicked, and are quoted by a key.
import { send, takeOver } from "console/parts";
import { find, findAll, hit } from "shared/dom";

/** @import { CaseSound } from "console/sound" */

const AGAIN = 4000; // ms between two looks at a range that is being transcribed

export class CaseLines {
  #box = find("[data-lines-card] [data-lines]");
  #form = find("[data-range-form]", HTMLFormElement);
  /** @type {HTMLElement | null} the line at hand */
  #current = null;

  /** @type {CaseSound | null} */
  #sound = null;

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      if (event.submitter?.getAttribute("value") !== "lines") return;
      event.preventDefault();
      this.open();
    });
    this.#form.addEventListener("acted", () => this.open());
    this.#box.addEventListener("click", (event) => this.#clicked(event));
    this.#box.addEventListener("submit", (event) => this.#quoted(event));
  }

  /**
   * Go with the sound from here on. Lines are opened and quoted before it is there, and without it.
   * @param {CaseSound} sound
   */
  follow(sound) {
    this.#sound = sound;
    sound.player.addEventListener("time", () => this.#follow());
  }

  get lines() {
    return findAll(".cue", this.#box);
  }

  /** Open the lines of the range: that is a look at the evidence. */
  async open() {
    const button = find('[value="lines"]', HTMLButtonElement, this.#form);
    const page = await send(this.#form, button);
    const fresh = page?.querySelector("[data-lines]");
    if (!page || !(fresh instanceof HTMLElement)) return;
    if (!page.querySelector("[data-writing]")) return takeOver(page); // refused: the page says why
    const cue = this.#current?.dataset.cue;
    const focused = this.#box.contains(document.activeElement);
    this.#box.replaceChildren(...document.importNode(fresh, true).childNodes);
    this.#current = this.lines.find((line) => line.dataset.cue === cue) ?? null;
    if (focused) this.#current?.focus({ preventScroll: true });
    if (fresh.dataset.writing) setTimeout(() => this.open(), AGAIN);
  }

  /** @param {number} step 1 for the next line, -1 for the one before */
  step(step) {
    const { lines } = this;
    const at = this.#current ? lines.indexOf(this.#current) : -1;
    const first = lines.findIndex((line) => line.matches(".inside"));
    const next = lines[at < 0 ? Math.max(0, first) : at + step];
    if (!next) return;
    this.#mark(next);
    next.focus();
  }

  /** Quote the line at hand, or take it back. */
  quote() {
    this.#current?.querySelector("[data-quote]")?.closest("form")?.requestSubmit();
  }

  /** @param {SubmitEvent} event */
  async #quoted(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    event.preventDefault();
    const line = form.closest(".cue");
    if (line instanceof HTMLElement) this.#mark(line);
    const page = await send(form, event.submitter ?? find("[data-quote]", HTMLElement, form));
    if (!page) return;
    takeOver(page);
    await this.open();
    if (line?.contains(document.activeElement) || document.activeElement === document.body) this.#current?.focus();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const line = hit(event, ".cue");
    if (!line || hit(event, "button, form") || String(getSelection())) return;
    event.preventDefault();
    this.#mark(line);
    this.#sound?.player.seek(Number(line.dataset.from) / 1000);
  }

  /** @param {HTMLElement | null} line */
  #mark(line) {
    this.#current?.removeAttribute("aria-current");
    this.#current = line;
    line?.setAttribute("aria-current", "true");
  }

  #follow() {
    if (!this.#sound?.player.playing) return;
    const now = this.#sound.player.now * 1000;
    const line = this.lines.findLast((one) => Number(one.dataset.from) <= now) ?? null;
    if (!line || line === this.#current || this.#box.contains(document.activeElement)) return;
    this.#mark(line);
    line.scrollIntoView({ block: "nearest" });
  }
}
