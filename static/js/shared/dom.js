// Elements of the page, found with the type that the caller needs.

/**
 * The first element of a selector. Raises an Error where there is none, or one of another kind.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} selector
 * @param {abstract new () => Kind} [kind]
 * @param {ParentNode} [root]
 * @returns {Kind}
 */
export function find(selector, kind = /** @type {any} */ (HTMLElement), root = document) {
  const element = root.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`${selector} is ${element ? `a ${element.tagName}` : "not in the page"}`);
}

/**
 * All elements of a selector, in the order of the page.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {HTMLElement[]}
 */
export function findAll(selector, root = document) {
  return [...root.querySelectorAll(selector)].filter((element) => element instanceof HTMLElement);
}

/**
 * What was hit by an event: its target, or the nearest element around it that fits the selector.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function hit(event, selector) {
  const element = event.target instanceof Element ? event.target.closest(selector) : null;
  return element instanceof HTMLElement ? element : null;
}

/**
 * Fill a list with names, each in its own direction.
 * @param {Element} list
 * @param {string[]} names
 */
export function listNames(list, names) {
  const items = names.map((name) => {
    const [item, text] = [document.createElement("li"), document.createElement("bdi")];
    text.textContent = name;
    item.append(text);
    return item;
  });
  list.replaceChildren(...items);
}

/**
 * Write a text, unless it stands there already: writing it again would have it read out again.
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * The first element of a `<template>`, as a new one.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} selector
 * @param {abstract new () => Kind} [kind]
 * @returns {Kind}
 */
export function clone(selector, kind) {
  return find("*", kind, document.importNode(find(selector, HTMLTemplateElement).content, true));
}

/**
 * What the server wrote into the page as JSON.
 * @param {string} id
 * @returns {any}
 */
export function readJson(id) {
  return JSON.parse(find(`script#${id}`).textContent ?? "");
}

/**
 * Give an element the focus if nothing has it that is shown: what had it is gone.
 * @param {HTMLElement} element
 */
export function catchFocus(element) {
  const { activeElement: now, body } = document;
  // An element in a dialog that was just closed has it still, until the page is drawn.
  if (!now || now === body || !now.checkVisibility()) element.focus({ preventScroll: true });
}
