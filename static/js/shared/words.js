// The page's sentences, translated by the server, and numbers as the reader writes them.
import { isolated } from "names";
import { readJson } from "shared/dom";
import { locale } from "shared/time";

/** @import { Counted, Word } from "shared/word" */

/** @type {Record<string, string> | undefined} */
let words;

/** @returns {Record<string, string>} The sentences by key, which the page has as JSON in #words. */
function sentences() {
  words ??= /** @type {Record<string, string>} */ (readJson("words"));
  return words;
}

/**
 * The sentence `key` with `{name}`s filled in; each keeps its direction to itself.
 * @param {Word} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  return (sentences()[key] ?? key).replace(/\{(\w+)\}/g, (all, name) =>
    name in values ? isolated(String(values[name])) : all,
  );
}

/**
 * The sentence `key_one` or `key_other`, by the reader's rules of plural, with `{number}` filled in.
 * @param {Counted} key
 * @param {number} count
 */
export function sayMany(key, count) {
  const rules = new Intl.PluralRules(document.documentElement.lang);
  return say(`${key}_${rules.select(count) === "one" ? "one" : "other"}`, { number: number(count) });
}

/**
 * Whether there is such a sentence.
 * @param {string} key
 * @returns {key is Word}
 */
export function known(key) {
  return key in sentences();
}

/** @param {number} value */
export function number(value) {
  return new Intl.NumberFormat(locale()).format(value);
}
