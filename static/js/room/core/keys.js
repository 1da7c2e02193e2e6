// The keys of the room page: each feature registers its own, features/keys listens and lists them.

/**
 * A single key. `label` says what it does, in the reader's language; `when` whether it does it now (always, without).
 * What is destroyed by an act is never destroyed by its key alone: that only opens the question. After each act the page
 * says what became of it, or the focus moves.
 * @typedef {object} Key
 * @property {string} key as in KeyboardEvent.key, letters in lower case
 * @property {string} label
 * @property {() => unknown} run
 * @property {() => boolean} [when]
 */

/** @type {Key[]} */
const registered = [];

/**
 * Add keys. Raises an Error for one that is taken.
 * @param {...Key} keys
 */
export function register(...keys) {
  for (const one of keys) {
    if (registered.some(({ key }) => key === one.key)) throw new Error(`two features take the key ${one.key}`);
    registered.push(one);
  }
}

/** Those that do something now. */
export function keysNow() {
  return registered.filter(({ when }) => when?.() ?? true);
}
