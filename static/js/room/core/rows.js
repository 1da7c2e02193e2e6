// Lists of people as rows: each element stays with its person, so that it keeps the focus.
import { drawAvatar } from "shared/avatar";
import { clone, find, findAll, write } from "shared/dom";

/** @import { Face } from "room/types" */

/**
 * Have one row for each of these people, in their order. What is not there any more goes; if it had the focus, that goes
 * to `fallback`.
 * @template {Face} One
 * @param {HTMLElement} list
 * @param {string} template selector of the `<template>` of a row
 * @param {One[]} people
 * @param {HTMLElement} fallback
 * @param {(row: HTMLElement, person: One) => void} [draw] what is in a row beside face and name
 */
export function drawRows(list, template, people, fallback, draw) {
  const focused = document.activeElement;
  const hadFocus = focused instanceof HTMLElement && list.contains(focused);
  const rows = new Map(findAll(":scope > li", list).map((row) => [row.dataset.user ?? "", row]));
  const wanted = new Set(people.map(({ user }) => user));
  for (const [user, row] of rows) if (!wanted.has(user)) row.remove();
  people.forEach((person, place) => {
    const row = rows.get(person.user) ?? clone(template);
    row.dataset.user = person.user;
    drawAvatar(find(".avatar", HTMLElement, row), person);
    write(find("[data-row-name]", HTMLElement, row), person.name);
    draw?.(row, person);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  list.hidden = people.length < 1;
  if (!hadFocus || document.activeElement === focused) return;
  if (focused.isConnected) focused.focus({ preventScroll: true });
  else fallback.focus({ preventScroll: true });
}
