// The lines: they follow the sound until the reader scrolls, seek when clicked, and can be searched.
import { write } from "replay/fragment";
import { say } from "replay/words";

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Transcript {
  constructor(root, player) {
    this.root = root;
    this.player = player;
    this.list = root.querySelector("[data-lines]");
    this.button = root.querySelector("[data-follow]");
    this.lines = [...(this.list?.children ?? [])].map((element) => ({
      element,
      from: element.dataset.from / 1000,
      to: element.dataset.to / 1000,
      user: element.dataset.user,
    }));
    this.following = true;
    if (!this.list) return;
    player.addEventListener("time", () => this.show());
    player.addEventListener("part", () => this.mark());
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.button.addEventListener("click", () => this.follow());
    this.watchReader();
    this.search = root.querySelector("[data-search]");
    this.search?.addEventListener("submit", (event) => this.submitted(event));
    this.search?.q.addEventListener("input", () => this.filter());
  }

  /** Only what a reader does stops it; a scroll of our own sends the same "scroll" events. */
  watchReader() {
    const stop = () => this.pause();
    for (const target of [this.list, window]) {
      target.addEventListener("wheel", stop, { passive: true });
      target.addEventListener("touchmove", stop, { passive: true });
    }
    this.list.addEventListener("pointerdown", (event) => event.target === this.list && stop());
    window.addEventListener("keydown", (event) => {
      const scrolls = ["PageUp", "PageDown", "Home", "End"].includes(event.key);
      const arrows = ["ArrowUp", "ArrowDown"].includes(event.key) && !event.target.matches("select, input, textarea");
      if (scrolls || arrows) stop();
    });
  }

  pause() {
    if (!this.current || !this.following) return;
    this.following = false;
    this.button.hidden = false;
    if (this.boxed) this.list.scrollTo({ top: this.list.scrollTop, behavior: "instant" }); // a smooth scroll on its way
  }

  follow() {
    this.following = true;
    this.button.hidden = true;
    this.scroll();
  }

  /** The line at a moment: the last that has begun, as long as nobody has been silent for long. */
  at(now) {
    let found = null;
    for (const line of this.lines) {
      if (line.from > now + 0.05) break;
      if (now < line.to || !found || line.to > found.to) found = line;
    }
    return found && now < found.to + 3 ? found : null;
  }

  show() {
    const line = this.at(this.player.now);
    if (line === this.current) return;
    this.current?.element.removeAttribute("aria-current");
    this.current = line;
    if (!line) return;
    line.element.setAttribute("aria-current", "true");
    if (this.following && !this.root.contains(document.activeElement?.closest("form, .line"))) this.scroll();
  }

  /** On a desk the lines scroll in a box of their own, on a phone with the page. */
  get boxed() {
    return this.list.scrollHeight > this.list.clientHeight + 1 && getComputedStyle(this.list).overflowY === "auto";
  }

  scroll() {
    const line = this.current?.element;
    if (!line || line.hidden) return;
    const behavior = still.matches ? "instant" : "smooth";
    if (this.boxed)
      this.list.scrollTo({ top: line.offsetTop - this.list.offsetTop - this.list.clientHeight / 3, behavior });
    else if (this.player.playing)
      scrollTo({ top: line.getBoundingClientRect().top + scrollY - innerHeight / 3, behavior });
  }

  clicked(event) {
    const link = event.target.closest(".at");
    const line = this.lines.find(({ element }) => element === event.target.closest(".line"));
    if (!line || event.target.closest("button, form, .edit") || String(getSelection())) return;
    event.preventDefault();
    if (event.shiftKey && this.first) return this.choose(this.first, line);
    this.first = line;
    if (link) history.replaceState(null, "", write(line.from));
    this.player.choose(null);
    this.player.seek(line.from);
    this.following = true;
    this.button.hidden = true;
  }

  /** From one line to another, whichever comes first. */
  choose(one, other) {
    const part = { from: Math.min(one.from, other.from), to: Math.max(one.to, other.to) };
    getSelection().removeAllRanges();
    history.replaceState(null, "", write(part.from, part.to));
    this.player.choose(part);
    this.player.seek(part.from);
  }

  mark() {
    const part = this.player.part;
    for (const { element, from, to } of this.lines) {
      element.classList.toggle("marked", Boolean(part?.to) && from < part.to && to > part.from);
    }
  }

  // --- search -------------------------------------------------------------------------------------------------------

  submitted(event) {
    event.preventDefault();
    this.filter();
    const first = this.lines.find(({ element }) => !element.hidden);
    if (this.search.q.value.trim() && first) first.element.querySelector(".at").focus();
  }

  filter() {
    const words = plain(this.search.q.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { element } of this.lines) {
      const text = element.querySelector("[data-text]");
      const name = plain(element.querySelector(".who").textContent);
      const hit = words.every((word) => plain(text.textContent).includes(word) || name.includes(word));
      element.hidden = !hit;
      found += hit;
      highlight(text, hit ? words : []);
    }
    this.root.classList.toggle("searching", words.length > 0);
    const label = this.root.querySelector("[data-found]");
    label.textContent = words.length ? say(["none_found", "one_found"][found] ?? "found", { count: found }) : "";
    if (!words.length) this.scroll();
  }
}

/** Mark words in an element of text. Letters are compared without accents, so places are counted letter by letter. */
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
