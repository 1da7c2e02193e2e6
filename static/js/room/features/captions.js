// Live captions on the table, under the name of who speaks; the reader's choices about them, kept in this browser; and
// whether one's own words are written down.
import { labels } from "names";
import { drawBlocks, hide } from "room/core/caption_blocks";
import { heard, shown, untilNextWord, withLine, withoutPerson, withState } from "room/core/captions";
import { register } from "room/core/keys";
import { notice, tell } from "room/core/notices";
import { isOver, ownSeat, seatOf, withRoom, withSeat } from "room/core/state";
import { find, findAll, write } from "shared/dom";
import { keepChoice, keepNumber, keptChoice, keptNumber } from "shared/kept";
import { say } from "shared/words";

/** @import { Caption } from "room/wire" */
/** @import { Block } from "room/core/caption_blocks" */
/** @import { Clock } from "room/core/captions" */
/** @import { Room } from "room/core/room" */
/** @import { Local, Mounted, State } from "room/types" */

const SHOWN = "captions-shown";
const READ = "captions-read";
const SIZE = "captions-size";
const PLACE = "captions-place";
const TICK = 250; // ms between two looks at what is over, at most
const VOICES = 2; // whose words stand at the same time
const TOGETHER = 5000; // ms within which what follows from a switch arrives
const QUIET = 4000; // ms between two sentences that are read out, at least

/** @implements {Mounted} */
class Captions {
  #room;
  #sheet = find("[data-captions-sheet]");
  #places = findAll("[data-captions]");
  #table = find("[data-table]");
  #tick = find("[data-captions-shown]", HTMLInputElement);
  #read = find("[data-captions-read]", HTMLInputElement);
  #own = this.#sheet.querySelector("[data-captions-own]");
  #hasSheet = "popover" in HTMLElement.prototype;
  /** @type {Map<number, number>} when each line changed last, by the server's clock */
  #came = new Map();
  /** @type {Map<number, number>} words of each line that were read out */
  #said = new Map();
  #timer = 0;
  #next = 0; // when it is drawn again
  #ahead = 0; // ms by which the server's clock is ahead of this one
  #isOwnDoing = false;
  #switchedOn = 0; // when captions of the room came on while this page was open

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#tick.checked = keptChoice(SHOWN, true);
    this.#read.checked = keptChoice(READ, false);
    this.#tick.addEventListener("change", () => {
      keepChoice(SHOWN, this.#tick.checked);
      this.#draw();
    });
    this.#read.addEventListener("change", () => this.#chooseReading());
    this.#radios(SIZE, () => this.#size());
    this.#radios(PLACE, () => this.#draw());
    this.#size();
    if (this.#own instanceof HTMLInputElement) {
      const box = this.#own;
      box.addEventListener("change", () => this.#setOwn(box.checked));
    }
    for (const button of findAll("[data-captions-open]")) button.addEventListener("click", () => this.#open());
    const when = () => room.controls.shown.includes("captions");
    register({ key: "w", label: say("key_captions"), run: () => this.#open(), when });
    this.#note(room.state.captions.lines, room.state);
    this.#next = setTimeout(() => this.#draw(), TICK);
  }

  /**
   * @param {typeof SIZE | typeof PLACE} name
   * @param {() => void} changed
   */
  #radios(name, changed) {
    for (const radio of findAll(`input[name="${name}"]`, this.#sheet)) {
      if (!(radio instanceof HTMLInputElement)) continue;
      radio.checked = radio.value === String(keptNumber(name, 2));
      radio.addEventListener("change", () => {
        keepNumber(name, Number(radio.value));
        changed();
      });
    }
  }

  /** Open the sheet, with the focus in it. */
  #open() {
    this.#sheet.showPopover();
    this.#tick.focus();
  }

  #size() {
    for (const place of this.#places) place.dataset.size = String(keptNumber(SIZE, 2));
  }

  #chooseReading() {
    keepChoice(READ, this.#read.checked);
    for (const line of this.#room.state.captions.lines) this.#said.set(line.line, heard(line, this.#clock).length);
  }

  /** @type {Mounted["messages"]} */
  messages = {
    beat: ({ now }) => {
      this.#ahead = Date.parse(now) - Date.now();
    },
  };

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { out }) {
    return out || isOver(state) || !state.room.transcription || !this.#hasSheet ? [] : ["captions"];
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (state.captions.lines !== before.captions.lines) this.#note(state.captions.lines, state, before);
    if (isOver(state)) return;
    if (state.room.transcription !== before.room.transcription) this.#switched(state);
    const isNewlyOff = state.you.captions_off && !before.you.captions_off;
    if (!isNewlyOff || this.#isOwnDoing || Date.now() - this.#switchedOn > TOGETHER) return;
    notice(say("captions_unasked"), { label: say("captions_allow"), run: () => this.#setOwn(false) });
  }

  /** @param {State} state */
  #switched(state) {
    const on = state.room.transcription;
    notice(say(on ? "captions_switched_on" : "captions_switched_off"));
    if (!on) return;
    this.#switchedOn = Date.now();
    // Of those who do not sit no event tells whether they were asked about captions.
    if (state.you.consented && !ownSeat(state)) {
      this.#room.ask("snapshot").catch((refused) => console.info("snapshot", refused.code));
    }
  }

  /**
   * Note when lines changed: those that a page has from its beginning, when they were said.
   * @param {readonly Caption[]} lines
   * @param {State} state
   * @param {State} [before]
   */
  #note(lines, state, before) {
    const known = new Set(before?.captions.lines ?? []);
    const startedAt = Date.parse(state.room.started_at ?? "");
    for (const line of lines.filter((one) => !known.has(one))) {
      this.#came.set(line.line, before ? this.#now : startedAt + (line.confirmed.at(-1)?.[2] ?? line.at));
      if (!before) this.#said.set(line.line, line.confirmed.length);
    }
    const there = new Set(lines.map(({ line }) => line));
    for (const line of this.#came.keys()) if (!there.has(line)) this.#came.delete(line) && this.#said.delete(line);
    if (before && this.#read.checked) this.#timer ||= setTimeout(() => this.#readOut(), QUIET);
  }

  get #now() {
    return Date.now() + this.#ahead;
  }

  /** @returns {Clock} */
  get #clock() {
    const { audience, state } = this.#room;
    return { now: this.#now, playing: audience.playingAt, startedAt: Date.parse(state.room.started_at ?? "") };
  }

  draw() {
    const { shown: controls } = this.#room.controls;
    if (!controls.includes("captions") && this.#hasSheet && this.#sheet.matches(":popover-open")) {
      this.#sheet.hidePopover();
    }
    for (const button of findAll("[data-captions-open]")) button.hidden = !controls.includes("captions");
    find("[data-check-captions]").hidden = !this.#room.state.room.transcription;
    write(find("[data-captioned]"), say(this.#room.state.room.transcription ? "captioned" : "not_captioned"));
    if (this.#own instanceof HTMLInputElement) this.#own.checked = this.#room.state.you.captions_off;
    this.#draw();
  }

  /** Draw what stands now, and again when the next word is heard, or some of it has stood long enough. */
  #draw() {
    const { state } = this.#room;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#draw(), untilNextWord(state.captions.lines, this.#clock, TICK));
    const wanted = this.#tick.checked && state.room.transcription && !isOver(state);
    const blocks = wanted ? this.#blocks(state) : [];
    const at = keptNumber(PLACE, 2) === 1 ? "below" : "table";
    for (const place of this.#places) {
      const isHere = place.dataset.captions === at;
      hide(place, at === "below" ? !wanted || !isHere : !isHere || blocks.length === 0);
      drawBlocks(place, isHere ? blocks : [], state.room.language);
    }
    this.#table.classList.toggle("captioned", at === "table" && blocks.length > 0);
  }

  /**
   * @param {State} state
   * @returns {Block[]}
   */
  #blocks(state) {
    const called = labels(state.seats);
    const off = new Map(state.seats.map((seat) => [seat.user, seat.captions_off]));
    const clock = this.#clock;
    const lines = state.captions.lines
      .filter(({ person }) => !off.get(person))
      .flatMap((line) => shown(line, this.#came.get(line.line) ?? clock.now, clock) ?? []);
    const silent = [...state.talking].filter((user) => off.get(user) || state.captions.without.has(user));
    const latest = new Map([
      ...silent.map((user) => /** @type {[string, number]} */ ([user, Number.POSITIVE_INFINITY])),
      ...lines.map(({ person, line }) => /** @type {[string, number]} */ ([person, line])),
    ]);
    const people = [...latest].toSorted((a, b) => b[1] - a[1]).slice(0, VOICES);
    const order = state.seats.map(({ user }) => user);
    return people
      .map(([person]) => person)
      .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
      .map((person) => {
        const own = lines.filter((line) => line.person === person);
        const instead = off.get(person) ? say("captions_off") : own.length === 0 ? say("captions_not_now") : undefined;
        return { person, name: called.get(person) ?? this.#room.nameOf(person), lines: own, instead };
      });
  }

  /** What was confirmed since, and is heard by now, in one sentence for each who said it. */
  #readOut() {
    this.#timer = 0;
    const { state } = this.#room;
    if (isOver(state) || !this.#read.checked) return;
    const called = labels(state.seats);
    const off = new Set(state.seats.filter((seat) => seat.captions_off).map(({ user }) => user));
    for (const each of state.captions.lines) {
      const { person, line, confirmed } = each;
      const [before, now] = [this.#said.get(line) ?? 0, heard(each, this.#clock)];
      const words = now.slice(before).map(([word]) => word);
      this.#said.set(line, Math.max(before, now.length));
      if (now.length < confirmed.length) this.#timer ||= setTimeout(() => this.#readOut(), QUIET);
      if (words.length > 0 && !off.has(person)) {
        tell(say("captions_said", { name: called.get(person) ?? person, words: words.join(" ") }));
      }
    }
  }

  /** @param {boolean} off */
  async #setOwn(off) {
    this.#isOwnDoing = true;
    const isDone = await this.#room.attempt(() => this.#room.ask("own_captions", { off }));
    if (isDone) this.#room.dispatch({ type: "own_captions", off });
    this.#isOwnDoing = false;
    this.#room.draw();
    if (isDone) notice(say(off ? "captions_own_off" : "captions_own_on"));
  }
}

/** @satisfies {import("room/types").Feature} */
export const captions = {
  reduce: {
    captions_set: (state, { on }) => withRoom(state, { transcription: on }),
    language_set: (state, { language }) => withRoom(state, { language }),
    seat_captioned: (state, { user, off }) => {
      const seats = withSeat(state, user, { captions_off: off });
      const next = off ? { ...seats, captions: withoutPerson(seats.captions, user) } : seats;
      return user === state.you.user ? { ...next, you: { ...next.you, captions_off: off } } : next;
    },
  },
  unsequenced: {
    // One that was on its way while its speaker said no is nothing.
    caption: (state, line) =>
      seatOf(state, line.person)?.captions_off ? state : { ...state, captions: withLine(state.captions, line) },
    captions_state: (state, said) => ({ ...state, captions: withState(state.captions, said) }),
    own_captions: (state, { off }) => ({ ...state, you: { ...state.you, captions_off: off } }),
  },
  mount: (room) => new Captions(room),
};
