// Breaks captions into lines as people read: after punctuation, before a new clause, never after a word that belongs to
// the next one. Pure. A line that is full never breaks anew because of what follows it.

export const LONGEST = 37; // letters a line, as the BBC has it

const ENDS = /[.!?…]["'’”)]*$/;
const PAUSES = /[,;:–—]["'’”)]*$/;
/** Words that belong to what follows: articles, prepositions, pronouns, possessives, auxiliaries, conjunctions. */
const LEAN = new Set(
  (
    "a an the this that these those my your his her its our their some any no every each very more most as " +
    "of to in on at by for with from into over under about between through without " +
    "i you he she it we they who and or but so if because when while although than " +
    "is are was were be been am do does did has have had will would can could may might must shall should not mr mrs dr " +
    "de het een dit dat deze die mijn jouw je zijn haar ons onze jullie hun geen elk elke ieder iedere heel zo te " +
    "van naar op aan bij voor met uit door over onder tussen zonder om tot tegen " +
    "ik jij hij zij ze wij we u men en of maar want omdat als toen terwijl dan " +
    "is ben bent waren was wordt worden werd werden heb hebt heeft hebben had hadden zal zult zullen zou zouden kan kunt " +
    "kunnen kon konden mag mogen moet moeten wil willen niet mevrouw meneer"
  ).split(" "),
);
/** Words with which a clause or a phrase begins. */
const BEGIN = new Set(
  (
    "and or but so if because when while although that which who where " +
    "of to in on at by for with from into over under about between through without " +
    "en of maar want omdat als toen terwijl dat die wat waar " +
    "van naar op aan bij voor met uit door over onder tussen zonder om tot tegen"
  ).split(" "),
);

/** @param {string} word */
function bare(word) {
  return word.toLowerCase().replace(/[^\p{L}\p{N}'’]/gu, "");
}

/**
 * What a break between two words costs; the less the better.
 * @param {string} before
 * @param {string} after
 */
function cost(before, after) {
  if (ENDS.test(before)) return -8;
  if (PAUSES.test(before)) return 3;
  if (LEAN.has(bare(before))) return 30;
  return BEGIN.has(bare(after)) ? 6 : 14;
}

/**
 * The lines of some words, with `most` letters each. A word that is longer has a line of its own.
 * @param {readonly string[]} words
 * @param {number} most
 * @param {number} [taken] letters that stand in the first line already
 * @returns {string[][]}
 */
export function broken(words, most, taken = 0) {
  /** @type {string[][]} */
  const lines = [];
  let from = 0;
  let room = most - (taken > 0 ? taken + 1 : 0);
  while (from < words.length) {
    const to = fits(words, from, room);
    if (to === from && lines.length === 0 && taken > 0) lines.push([]);
    else {
      const end = to >= words.length ? words.length : best(words, from, Math.max(to, from + 1), room);
      lines.push(words.slice(from, end));
      from = end;
    }
    room = most;
  }
  return lines;
}

/**
 * The number of the first word that does not fit any more.
 * @param {readonly string[]} words
 * @param {number} from
 * @param {number} room letters
 */
function fits(words, from, room) {
  let length = 0;
  let at = from;
  while (at < words.length) {
    length += words[at].length + (at > from ? 1 : 0);
    if (length > room) break;
    at += 1;
  }
  return at;
}

/**
 * Where to break a line that ends before `to` at the latest: early breaks cost what stays empty.
 * @param {readonly string[]} words
 * @param {number} from
 * @param {number} to
 * @param {number} room letters
 */
function best(words, from, to, room) {
  let [chosen, lowest] = [to, Number.POSITIVE_INFINITY];
  let length = 0;
  for (let end = from + 1; end <= to; end += 1) {
    length += words[end - 1].length + (end - 1 > from ? 1 : 0);
    const price = cost(words[end - 1], words[end]) + (40 * Math.max(0, room - length)) / room;
    if (price <= lowest) [chosen, lowest] = [end, price];
  }
  return chosen;
}
