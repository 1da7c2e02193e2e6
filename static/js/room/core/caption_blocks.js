// Captions as they stand in a page: one block for each who speaks, the name above two lines at most.
import { broken, LONGEST } from "room/core/line_breaks";
import { clone, find, findAll, write } from "shared/dom";

/** @import { Shown } from "room/core/captions" */

const LINES = 2;
const SHORTEST = 14; // letters: a narrow place has short lines, not one word a line
const LETTER = 0.54; // width of a letter, of the size of the type

/**
 * What one person says: a part of a line for each of its words, or a sentence of ours in their place (`instead`).
 * @typedef {object} Block
 * @property {string} person a handle
 * @property {string} name
 * @property {readonly Shown[]} lines oldest first
 * @property {string} [instead]
 */

/**
 * How many letters a line has in a place.
 * @param {HTMLElement} place
 */
export function lettersIn(place) {
  const size = Number.parseFloat(getComputedStyle(place).fontSize);
  return Math.min(LONGEST, Math.max(SHORTEST, Math.floor(place.clientWidth / (size * LETTER))));
}

/**
 * The last lines of what somebody says: confirmed words, and after them those that may change.
 * @param {readonly Shown[]} lines
 * @param {number} most letters a line
 * @param {number} [count] lines, at most
 * @returns {{ words: string, draft: string }[]}
 */
export function lastLines(lines, most, count = LINES) {
  const all = lines.flatMap(({ words, draft }) => {
    const own = broken(words, most).map((line) => ({ words: line.join(" "), draft: "" }));
    const last = own.at(-1);
    broken(draft, most, last?.words.length ?? 0).forEach((part, n) => {
      if (n === 0 && last) last.draft = part.join(" ");
      else own.push({ words: "", draft: part.join(" ") });
    });
    return own;
  });
  return all.filter(({ words, draft }) => words || draft).slice(-count);
}

/**
 * Hide or show an element, unless it is so already: captions are drawn several times a second.
 * @param {HTMLElement} element
 * @param {boolean} hidden
 */
export function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/**
 * Draw blocks in a place; one that stays keeps its element, and what did not change is not touched.
 * @param {HTMLElement} place
 * @param {readonly Block[]} blocks
 * @param {string} language in which is spoken
 */
export function drawBlocks(place, blocks, language) {
  const there = new Map(findAll(".caption", place).map((element) => [element.dataset.person, element]));
  const wanted = blocks.map((block) => {
    const element = there.get(block.person) ?? clone("[data-caption]");
    if (element.dataset.person !== block.person) element.dataset.person = block.person;
    return element;
  });
  for (const [, old] of there) if (!wanted.includes(old)) old.remove();
  wanted.forEach((element, n) => {
    if (place.children[n] !== element) place.insertBefore(element, place.children[n] ?? null);
  });
  const most = blocks.length > 0 ? lettersIn(place) : LONGEST;
  blocks.forEach((block, n) => drawBlock(wanted[n], block, most, language));
}

/**
 * @param {HTMLElement} element
 * @param {Block} block
 * @param {number} most letters a line
 * @param {string} language
 */
function drawBlock(element, { name, lines, instead }, most, language) {
  write(find(".caption-name", HTMLElement, element), name);
  const text = find(".caption-text", HTMLElement, element);
  hide(text, Boolean(instead));
  const why = find(".caption-instead", HTMLElement, element);
  hide(why, !instead);
  write(why, instead ?? "");
  if (text.lang !== language) text.lang = language;
  const parts = lastLines(lines, most);
  const rows = findAll(".caption-line", text);
  parts.forEach(({ words, draft }, n) => {
    const row = rows[n] ?? text.appendChild(clone("[data-caption-line]"));
    write(find("[data-words]", HTMLElement, row), words && draft ? `${words} ` : words);
    write(find(".caption-draft", HTMLElement, row), draft);
  });
  for (const row of rows.slice(parts.length)) row.remove();
}
