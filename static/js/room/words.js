// The page's sentences, numbers and times, as the reader writes them.
import { isolated } from "names";
import { dates, locale } from "page";

export function readJson(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

const words = readJson("room-words");
const rules = new Intl.PluralRules(document.documentElement.lang);
const numbers = new Intl.NumberFormat(locale);
const clock = dates({ hour: "2-digit", minute: "2-digit" });

/** The sentence `key` with `{name}`s filled in; each keeps its direction to itself. */
export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) =>
    name in values ? isolated(String(values[name])) : all,
  );
}

export function sayMany(key, count) {
  return say(`${key}_${rules.select(count) === "one" ? "one" : "other"}`, { number: numbers.format(count) });
}

export function known(key) {
  return key in words;
}

export function number(value) {
  return numbers.format(value);
}

export function time(iso) {
  return clock.format(new Date(iso));
}
