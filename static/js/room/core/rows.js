// Lists whose elements stay with what they show, so that they keep the focus.
import { drawAvatar } from "shared/avatar";
import { clone, find, findAll, write } from "shared/dom";

/** @import { Face } from "room/types" */

/**
 * Have one element for each entry, in their order. What is not there any more goes; if it had the focus, that goes to
 * `fallback`.
 * @template Entry
 * @param {HTMLElement} list
 * @param {string} template selector of the `<template>` of an element
 * @param {Entry[]} entries
 * @param {(entry: Entry) => string} keyOf by which an entry is known again
 * @param {HTMLElement} fallback
 * @param {(item: HTMLElement, entry: Entry) => void} draw
 */
export function drawList(list, template, entries, keyOf, fallback, draw) {
  const focused = document.activeElement;
  const hadFocus = focused instanceof HTMLElement && list.contains(focused);
  const items = new Map(findAll(":scope > li", list).map((item) => [item.dataset.key ?? "", item]));
  const wanted = new Set(entries.map(keyOf));
  for (const [key, item] of items) if (!wanted.has(key)) item.remove();
  entries.forEach((entry, place) => {
    const key = keyOf(entry);
    const item = items.get(key) ?? clone(template);
    item.dataset.key = key;
    draw(item, entry);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  list.hidden = entries.length < 1;
  if (!hadFocus || document.activeElement === focused) return;
  if (focused.isConnected) focused.focus({ preventScroll: true });
  else fallback.focus({ preventScroll: true });
}

/**
 * Have one row for each of these people (`drawList`).
 * @template {Face} One
 * @param {HTMLElement} list
 * @param {string} template selector of the `<template>` of a row
 * @param {One[]} people
 * @param {HTMLElement} fallback
 * @param {(row: HTMLElement, person: One) => void} [draw] what is in a row beside face and name
 */
export function drawRows(list, template, people, fallback, draw) {
  drawList(
    list,
    template,
    people,
    ({ user }) => user,
    fallback,
    (row, person) => {
      row.dataset.user = person.user;
      drawAvatar(find(".avatar", HTMLElement, row), person);
      write(find("[data-row-name]", HTMLElement, row), person.name);
      draw?.(row, person);
    },
  );
}
