// Making a clip of the part that is chosen: on the waveform, among the lines, by keys, or by its seconds.
import { ApiRefused, api } from "shared/api";
import { ClipList } from "shared/clip_list";
import { find, findAll, write } from "shared/dom";
import { announce } from "shared/notice";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */

const [SHORTEST, LONGEST] = [1, 90]; // s

/** @param {Player} player */
export function makeClips(player) {
  const [section] = findAll("[data-clips]");
  if (!section) return;
  const slug = section.dataset.clips ?? "";
  const list = new ClipList(section, slug);
  const [form] = findAll("[data-clip-form]", section);
  if (form instanceof HTMLFormElement) new ClipForm(form, player, slug, list);
}

class ClipForm {
  #form;
  #player;
  #slug;
  #list;
  #from;
  #to;

  /**
   * @param {HTMLFormElement} form
   * @param {Player} player
   * @param {string} slug
   * @param {ClipList} list
   */
  constructor(form, player, slug, list) {
    this.#form = form;
    this.#player = player;
    this.#slug = slug;
    this.#list = list;
    this.#from = find("#clip-from", HTMLInputElement, form);
    this.#to = find("#clip-to", HTMLInputElement, form);
    player.addEventListener("part", () => this.#fill());
    for (const input of [this.#from, this.#to]) input.addEventListener("change", () => this.#typed());
    form.addEventListener("submit", (event) => this.#make(event));
    const [mark, listen] = ["[data-clip-mark]", "[data-clip-listen]"].map((name) =>
      find(name, HTMLButtonElement, form),
    );
    mark.hidden = listen.hidden = false;
    mark.addEventListener("click", () => this.#mark());
    listen.addEventListener("click", () => this.#listen());
    find("[data-clip-how]", HTMLElement, form).hidden = false;
    this.#fill();
  }

  /** The ends in the fields, or null. */
  get #ends() {
    const [from, to] = [this.#from.valueAsNumber, this.#to.valueAsNumber];
    return Number.isFinite(from) && Number.isFinite(to) && to > from ? { from, to } : null;
  }

  #fill() {
    const { part } = this.#player;
    if (part?.to) {
      this.#from.value = part.from.toFixed(1);
      this.#to.value = part.to.toFixed(1);
    }
    this.#measure();
  }

  #typed() {
    const ends = this.#ends;
    if (ends) this.#player.choose(ends);
    else this.#measure();
  }

  #measure() {
    const output = find("[data-clip-length]", HTMLOutputElement, this.#form);
    const seconds = this.#ends ? this.#ends.to - this.#ends.from : null;
    const fits = seconds === null || (seconds >= SHORTEST && seconds <= LONGEST + 0.001);
    const lasts = seconds === null ? "" : say("clip_lasts", { seconds: String(Math.round(seconds * 10) / 10) });
    output.classList.toggle("over", !fits);
    write(output, fits ? lasts : `${lasts}. ${say("clip_range")}`);
    return seconds !== null && fits;
  }

  #mark() {
    const button = find("[data-mark]", HTMLButtonElement);
    if (button.ariaPressed !== "true") button.click();
    const wave = find("[data-wave]");
    wave.scrollIntoView({ block: "center" });
    announce(say("range_how"));
  }

  #listen() {
    const ends = this.#ends;
    if (!ends) return this.#from.focus();
    this.#player.choose(ends);
    this.#player.seek(ends.from);
    if (!this.#player.playing) this.#player.toggle();
  }

  /** @param {SubmitEvent} event */
  async #make(event) {
    event.preventDefault();
    const ends = this.#ends;
    if (!ends || !this.#measure()) return this.#say(say("clip_range"));
    this.#say("");
    const kind = find("[data-clip-kind]", HTMLSelectElement, this.#form).value;
    const [from_ms, to_ms] = [Math.round(ends.from * 1000), Math.round(ends.to * 1000)];
    try {
      await api("POST", `rooms/${this.#slug}/clips/`, { kind, from_ms, to_ms });
      announce(say("clip_asked"));
      await this.#list.load();
    } catch (error) {
      const fields = error instanceof ApiRefused ? Object.values(error.fields) : [];
      this.#say(error instanceof ApiRefused ? [error.message, ...fields].join(" ") : say("clip_failed"));
    }
  }

  /** @param {string} text */
  #say(text) {
    const wrong = find("[data-clip-wrong]", HTMLElement, this.#form);
    wrong.hidden = !text;
    write(wrong, text);
  }
}
