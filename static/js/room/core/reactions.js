// Counts of reactions, by kind and, within a kind, by skin tone: what is drawn and what is said of them. Pure.
import { number, say, sayMany } from "shared/words";

/** @import { Verbs } from "room/wire" */

/** @typedef {Verbs["react"]["kind"]} Kind */
/** @typedef {Record<string, Record<string, number>>} Counts */
/** @typedef {{ kind: string, tone: number, number: number }} Sprite what rises: one reaction, or many of the same */

const SINGLY = 3; // so many of the same rise each for itself
const SAID = 3; // kinds that are named in a sentence
const MODIFIERS = ["", "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"]; // rooms/rules/reactions.py
export const MOST_TONE = MODIFIERS.length - 1;

/**
 * An emoji in a skin tone.
 * @param {string} emoji
 * @param {number} tone
 */
export function toned(emoji, tone) {
  return emoji + (MODIFIERS[tone] ?? "");
}

/** One's own reactions that are shown already, and come once more with a tick. */
export class OwnReactions {
  /** @type {Map<string, number>} by kind and tone */
  #shown = new Map();

  /**
   * @param {string} kind
   * @param {number} tone
   * @param {number} change 1 where one was shown, -1 where it was refused
   */
  add(kind, tone, change = 1) {
    const key = `${kind}:${tone}`;
    this.#shown.set(key, Math.max(0, (this.#shown.get(key) ?? 0) + change));
  }

  /** The line was lost: what was sent may have been lost with it. */
  forget() {
    this.#shown.clear();
  }

  /**
   * What others reacted in a tick.
   * @param {Counts} counts
   * @returns {Counts}
   */
  others(counts) {
    /** @type {Counts} */
    const others = {};
    for (const [kind, tones] of Object.entries(counts)) {
      for (const [tone, many] of Object.entries(tones)) {
        const mine = Math.min(many, this.#shown.get(`${kind}:${tone}`) ?? 0);
        if (mine > 0) this.add(kind, Number(tone), -mine);
        if (many > mine) others[kind] = { ...others[kind], [tone]: many - mine };
      }
    }
    return others;
  }
}

/**
 * The sum of each kind, the most first.
 * @param {Counts} counts
 * @returns {[Kind, number][]}
 */
export function byKind(counts) {
  const sum = (/** @type {Record<string, number>} */ tones) => Object.values(tones).reduce((all, one) => all + one, 0);
  return Object.entries(counts)
    .map(([kind, tones]) => /** @type {[Kind, number]} */ ([kind, sum(tones)]))
    .toSorted((a, b) => b[1] - a[1]);
}

/**
 * What rises for one tick, at most `most`: few of the same each for itself, many as one with their number.
 * @param {Counts} counts
 * @param {number} most
 * @returns {Sprite[]}
 */
export function sprites(counts, most) {
  let all = Object.entries(counts).flatMap(([kind, tones]) =>
    Object.entries(tones).map(([tone, many]) => ({ kind, tone: Number(tone), number: many })),
  );
  if (all.length > most) all = byKind(counts).map(([kind, many]) => ({ kind, tone: 0, number: many }));
  const shown = all.toSorted((a, b) => b.number - a.number).slice(0, most);
  let free = most - shown.length;
  return shown.flatMap((sprite) => {
    if (sprite.number > Math.min(SINGLY, free + 1)) return [sprite];
    free -= sprite.number - 1;
    return Array.from({ length: sprite.number }, () => ({ ...sprite, number: 1 }));
  });
}

/**
 * A sentence for screen readers.
 * @param {Counts} counts
 */
export function sentence(counts) {
  const kinds = byKind(counts);
  const others = kinds.slice(SAID).reduce((all, [, many]) => all + many, 0);
  const parts = kinds.slice(0, SAID).map(([kind, many]) => sayMany(`reaction_${kind}`, many));
  if (others > 0) parts.push(sayMany("reaction_more", others));
  return say("reacted", { list: parts.join(", ") });
}

/** @param {number} many */
export function times(many) {
  return `×${number(many)}`;
}
