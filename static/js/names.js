// Names among other words: who is who where names are alike, and text that keeps its direction to itself. Pure.
// (people/labels.py and core/text.py do the same for what the server writes.)

const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const TURNING = /[\u202a-\u202e\u2066-\u2069]/gu;
const UNREAD = /[^\p{L}\p{N}\p{M}\p{So}]|\p{Default_Ignorable_Code_Point}/gu;

/**
 * A text for the middle of a plain sentence: what is written right to left does not reorder what is around it.
 * @param {string} text
 */
export function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text.replace(TURNING, "")}\u2069` : text;
}

/** @param {string} name */
function sameLook(name) {
  return name.normalize("NFKC").toLowerCase().replace(UNREAD, "");
}

/**
 * How each of these is called, by handle: by the name, or with the handle where another reads like it.
 * @param {{ user: string, name: string }[]} people
 */
export function labels(people) {
  const alike = new Map();
  for (const { name } of people) alike.set(sameLook(name), (alike.get(sameLook(name)) ?? 0) + 1);
  const own = (/** @type {string} */ name) =>
    sameLook(name) && alike.get(sameLook(name)) === 1 && !/[@\uff20\ufe6b]/u.test(name);
  return new Map(people.map(({ user, name }) => [user, own(name) ? name : `${isolated(name)} (@${user})`]));
}
