// Lines of live captions as the page knows them, and what of them is shown at a moment. Pure: no DOM, no network.

/** @import { Caption, Captions, CaptionsState } from "room/wire" */
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
 * What is known after a snapshot: its lines with what arrived before it.
 * @param {Captions | undefined} part none where the app that writes captions is not there
 * @param {Lines | undefined} before
 * @returns {Lines}
 */
export function ofSnapshot(part, before) {
  if (!part) return before ?? NONE;
  const known = { level: part.state, without: new Set(part.without), lines: before?.lines ?? [] };
  return part.lines.reduce(withLine, known);
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
 * A line as far as it is heard now; null where nothing of it is, or where it has stood long enough.
 * @param {Caption} line
 * @param {number} came when it changed last (ms since 1970, the server's clock)
 * @param {Clock} clock
 * @returns {Shown | null}
 */
export function shown(line, came, { now, playing, startedAt }) {
  const heard = playing ?? now;
  const words = line.confirmed.filter(([, start]) => playing === null || startedAt + start <= playing);
  const isWhole = words.length === line.confirmed.length;
  // A draft is of what was said before it came.
  const draft = isWhole && heard >= came ? line.draft.split(/\s+/).filter(Boolean) : [];
  if (words.length + draft.length === 0) return null;
  const ended = startedAt + (words.at(-1)?.[2] ?? line.at);
  const since = playing === null ? Math.min(came, ended + RECENT) : ended;
  if (heard - since > LINGERS) return null;
  return { person: line.person, line: line.line, words: words.map(([word]) => word), draft };
}
