// Lines of live captions as the page knows them, and what of them is shown at a moment. Pure: no DOM, no network.

/** @import { Caption, Captions, CaptionsState, SeatState } from "room/wire" */
/** @import { Lines } from "room/types" */

const KEPT = 12; // lines, as in a snapshot
const LINGERS = 7000; // ms that a line stands after its last word was shown
const RECENT = 30_000; // ms: what was said before, nobody who comes now reads as if it were new

/** @type {Lines} */
export const NONE = { level: "on", without: new Set(), lines: [] };

/**
 * Of two readings of one line the later: confirmed words only become more, and nothing follows the final one.
 * @param {Caption} one
 * @param {Caption} other which arrived later
 */
function later(one, other) {
  if (one.final || one.confirmed.length > other.confirmed.length) return one;
  return other;
}

/**
 * @param {Lines} captions
 * @param {Caption} line
 * @returns {Lines}
 */
export function withLine(captions, line) {
  const known = captions.lines.find((one) => one.line === line.line);
  const next = known ? later(known, line) : line;
  if (next === known) return captions;
  const others = captions.lines.filter((one) => one !== known);
  return { ...captions, lines: [...others, next].toSorted((a, b) => a.line - b.line).slice(-KEPT) };
}

/**
 * @param {Lines} captions
 * @param {Pick<CaptionsState, "state" | "person">} said
 * @returns {Lines}
 */
export function withState(captions, { state, person }) {
  if (person === null) return { ...captions, level: state };
  const without = new Set(captions.without);
  if (state === "off") without.add(person);
  else without.delete(person);
  return { ...captions, without };
}

/**
 * Without the lines of somebody who wants none now.
 * @param {Lines} captions
 * @param {string} person a handle
 * @returns {Lines}
 */
export function withoutPerson(captions, person) {
  const lines = captions.lines.filter((line) => line.person !== person);
  return lines.length === captions.lines.length ? captions : { ...captions, lines };
}

/**
 * Without drafts of people who do not sit: of who left by themselves the last words still come, confirmed.
 * @param {Lines} captions
 * @param {readonly Pick<SeatState, "user">[]} seats
 * @returns {Lines}
 */
export function withoutDrafts(captions, seats) {
  const seated = new Set(seats.map(({ user }) => user));
  if (captions.lines.every(({ person, draft }) => !draft || seated.has(person))) return captions;
  const lines = captions.lines.map((line) => (seated.has(line.person) ? line : { ...line, draft: "" }));
  return { ...captions, lines: lines.filter(({ confirmed, draft }) => draft || confirmed.length > 0) };
}

/**
 * What is known after a snapshot: its lines with what arrived before it, but for lines that it has no more.
 * @param {Captions | undefined} part none where the app that writes captions is not there
 * @param {Lines | undefined} before
 * @param {readonly SeatState[]} seats
 * @returns {Lines}
 */
export function ofSnapshot(part, before, seats) {
  if (!part) return before ?? NONE;
  const off = new Set(seats.filter((seat) => seat.captions_off).map(({ user }) => user));
  const there = new Set(part.lines.map(({ line }) => line));
  const last = part.lines.at(-1)?.line ?? 0;
  const known = before?.lines.filter(
    ({ line, person, confirmed }) => !off.has(person) && (there.has(line) || line > last || confirmed.length === 0),
  );
  return part.lines.reduce(withLine, { level: part.state, without: new Set(part.without), lines: known ?? [] });
}

/**
 * When and how a page hears the room. `playing` is the moment (ms since 1970, the server's clock) whose sound is heard
 * where that is seconds late, and null where it is not: words are shown at once.
 * @typedef {{ now: number, playing: number | null, startedAt: number }} Clock
 */

/**
 * What stands of a line now.
 * @typedef {object} Shown
 * @property {string} person
 * @property {number} line
 * @property {string[]} words
 * @property {string[]} draft
 */

/**
 * The confirmed words of a line whose sound is played by now.
 * @param {Pick<Caption, "confirmed">} line
 * @param {Pick<Clock, "playing" | "startedAt">} clock
 */
export function heard({ confirmed }, { playing, startedAt }) {
  return playing === null ? confirmed : confirmed.filter(([, start]) => startedAt + start <= playing);
}

/**
 * How long, in ms, until the next confirmed word of some lines is heard; `most` where that is later, or there is none.
 * @param {readonly Pick<Caption, "confirmed">[]} lines
 * @param {Pick<Clock, "playing" | "startedAt">} clock
 * @param {number} most
 */
export function untilNextWord(lines, { playing, startedAt }, most) {
  if (playing === null) return most;
  const waits = lines.flatMap(({ confirmed }) => confirmed.map(([, start]) => startedAt + start - playing));
  return Math.min(most, ...waits.filter((ms) => ms > 0));
}

/**
 * A line as far as it is heard now; null where nothing of it is, or where it has stood long enough.
 * @param {Caption} line
 * @param {number} came when it changed last (ms since 1970, the server's clock)
 * @param {Clock} clock
 * @returns {Shown | null}
 */
export function shown(line, came, { now, playing, startedAt }) {
  const moment = playing ?? now;
  const words = heard(line, { playing, startedAt });
  const isWhole = words.length === line.confirmed.length;
  // A draft is of what was said before it came.
  const draft = isWhole && moment >= came ? line.draft.split(/\s+/).filter(Boolean) : [];
  if (words.length + draft.length === 0) return null;
  const ended = startedAt + (words.at(-1)?.[2] ?? line.at);
  const since = playing === null ? Math.min(came, ended + RECENT) : ended;
  if (moment - since > LINGERS) return null;
  return { person: line.person, line: line.line, words: words.map(([word]) => word), draft };
}
