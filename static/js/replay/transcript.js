// The lines: they follow the sound until the reader scrolls, seek when clicked, and can be searched.
import { write } from "replay/fragment";
import { find, findAll, hit } from "shared/dom";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */
/** @import { Line } from "replay/types" */

const plain = (/** @type {string} */ text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Transcript {
  #root;
  #player;
  #following = true;
  /** @type {Line | null} the line that is heard now */
  #current = null;
  /** @type {Line | null} the line that was clicked last: a part begins there */
  #first = null;
  /** @type {HTMLElement | null} where the lines are, if there are any */
  list;
  /** @type {HTMLInputElement | null} what is searched for, if one can search */
  query;
  /** @type {Line[]} */
  lines;

  /**
   * @param {HTMLElement} root
   * @param {Player} player
   */
  constructor(root, player) {
    this.#root = root;
    this.#player = player;
    this.list = root.querySelector("[data-lines]");
    this.query = root.querySelector("[data-search] input[name=q]");
    this.lines = findAll("[data-lines] > *", root).map((element) => ({
      element,
      from: Number(element.dataset.from) / 1000,
      to: Number(element.dataset.to) / 1000,
      user: element.dataset.user ?? "",
    }));
    if (!this.list) return;
    player.addEventListener("time", () => this.#show());
    player.addEventListener("part", () => this.#mark());
    this.list.addEventListener("click", (event) => this.#clicked(event));
    this.#button.addEventListener("click", () => this.follow());
    this.#watchReader(this.list);
    if (!this.query) return;
    const query = this.query;
    query.form?.addEventListener("submit", (event) => this.#submitted(event, query));
    query.addEventListener("input", () => this.#filter(query));
  }

  get #button() {
    return find("[data-follow]", HTMLElement, this.#root);
  }

  /**
   * Only what a reader does stops it; a scroll of our own sends the same "scroll" events.
   * @param {HTMLElement} list
   */
  #watchReader(list) {
    const stop = () => this.#pause();
    for (const target of [list, window]) {
      target.addEventListener("wheel", stop, { passive: true });
      target.addEventListener("touchmove", stop, { passive: true });
    }
    list.addEventListener("pointerdown", (event) => event.target === list && stop());
    window.addEventListener("keydown", (event) => {
      const scrolls = ["PageUp", "PageDown", "Home", "End"].includes(event.key);
      const choosing = event.target instanceof Element && event.target.matches("select, input, textarea");
      if (scrolls || (["ArrowUp", "ArrowDown"].includes(event.key) && !choosing)) stop();
    });
  }

  #pause() {
    if (!this.#current || !this.#following) return;
    this.#following = false;
    this.#button.hidden = false;
    const box = this.#box;
    box?.scrollTo({ top: box.scrollTop, behavior: "instant" }); // a smooth scroll on its way
  }

  /** Scroll with the sound again. */
  follow() {
    if (!this.list) return;
    this.#following = true;
    this.#button.hidden = true;
    this.#scroll();
  }

  /**
   * The line at a moment: the last that has begun, as long as nobody has been silent for long.
   * @param {number} now
   */
  #at(now) {
    /** @type {Line | null} */
    let last = null;
    for (const line of this.lines) {
      if (line.from > now + 0.05) break;
      if (now < line.to || !last || line.to > last.to) last = line;
    }
    return last && now < last.to + 3 ? last : null;
  }

  #show() {
    const line = this.#at(this.#player.now);
    if (line === this.#current) return;
    this.#current?.element.removeAttribute("aria-current");
    this.#current = line;
    if (!line) return;
    line.element.setAttribute("aria-current", "true");
    const busy = document.activeElement?.closest("form, .line") ?? null;
    if (this.#following && !this.#root.contains(busy)) this.#scroll();
  }

  /** On a desk the lines scroll in a box of their own, on a phone with the page: then there is none. */
  get #box() {
    const { list } = this;
    const scrolls = list && list.scrollHeight > list.clientHeight + 1 && getComputedStyle(list).overflowY === "auto";
    return scrolls ? list : null;
  }

  #scroll() {
    const line = this.#current?.element;
    if (!line || line.hidden) return;
    const behavior = still.matches ? "instant" : "smooth";
    const box = this.#box;
    if (box) box.scrollTo({ top: line.offsetTop - box.offsetTop - box.clientHeight / 3, behavior });
    else if (this.#player.playing) {
      scrollTo({ top: line.getBoundingClientRect().top + scrollY - innerHeight / 3, behavior });
    }
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const element = hit(event, ".line");
    const line = this.lines.find((one) => one.element === element);
    if (!line || hit(event, "button, form, .edit") || String(getSelection())) return;
    event.preventDefault();
    if (event.shiftKey && this.#first) return this.#choose(this.#first, line);
    this.#first = line;
    if (hit(event, ".at")) history.replaceState(null, "", write(line.from));
    this.#player.choose(null);
    this.#player.seek(line.from);
    this.#following = true;
    this.#button.hidden = true;
  }

  /**
   * From one line to another, whichever comes first.
   * @param {Line} one
   * @param {Line} other
   */
  #choose(one, other) {
    const from = Math.min(one.from, other.from);
    const to = Math.max(one.to, other.to);
    getSelection()?.removeAllRanges();
    history.replaceState(null, "", write(from, to));
    this.#player.choose({ from, to });
    this.#player.seek(from);
  }

  #mark() {
    const { part } = this.#player;
    for (const { element, from, to } of this.lines) {
      element.classList.toggle("marked", part !== null && part.to !== null && from < part.to && to > part.from);
    }
  }

  // --- search -------------------------------------------------------------------------------------------------------

  /**
   * @param {Event} event
   * @param {HTMLInputElement} query
   */
  #submitted(event, query) {
    event.preventDefault();
    this.#filter(query);
    const first = this.lines.find(({ element }) => !element.hidden);
    if (query.value.trim() && first) find(".at", HTMLElement, first.element).focus();
  }

  /** @param {HTMLInputElement} query */
  #filter(query) {
    const words = plain(query.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element } of this.lines) {
      const text = find("[data-text]", HTMLElement, element);
      const name = plain(find(".who", HTMLElement, element).textContent);
      const hits = words.every((word) => plain(text.textContent).includes(word) || name.includes(word));
      element.hidden = !hits;
      if (hits) count += 1;
      highlight(text, hits ? words : []);
    }
    this.#root.classList.toggle("searching", words.length > 0);
    const label = find("[data-found]", HTMLElement, this.#root);
    const key = count > 1 ? "found" : count > 0 ? "one_found" : "none_found";
    label.textContent = words.length ? say(key, { count }) : "";
    if (!words.length) this.#scroll();
  }
}

/**
 * Mark words in an element of text. Letters are compared without accents, so places are counted letter by letter.
 * @param {HTMLElement} element
 * @param {string[]} words
 */
function highlight(element, words) {
  const text = element.textContent;
  if (!words.length && !element.querySelector("mark")) return;
  const letters = [...text];
  const marked = new Array(letters.length).fill(false);
  const bare = letters.map((letter) => plain(letter) || "");
  const places = bare.flatMap((letter, index) => [...letter].map(() => index));
  const joined = bare.join("");
  for (const word of words) {
    for (let at = joined.indexOf(word); at >= 0; at = joined.indexOf(word, at + 1)) {
      for (let letter = places[at]; letter <= places[at + word.length - 1]; letter += 1) marked[letter] = true;
    }
  }
  element.replaceChildren();
  for (let from = 0; from < letters.length; ) {
    let to = from;
    while (to < letters.length && marked[to] === marked[from]) to += 1;
    const part = letters.slice(from, to).join("");
    element.append(marked[from] ? Object.assign(document.createElement("mark"), { textContent: part }) : part);
    from = to;
  }
}
