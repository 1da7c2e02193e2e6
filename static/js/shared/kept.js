// Choices of this browser, kept in it. Where the browser keeps nothing for pages, they hold as long as the page is open.

/**
 * A choice between yes and no that was kept.
 * @param {string} key
 * @param {boolean} otherwise where none was kept
 */
export function keptChoice(key, otherwise) {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? otherwise : kept === "on";
  } catch (error) {
    console.info("localStorage", error.name); // blocked by the browser's settings
    return otherwise;
  }
}

/**
 * @param {string} key
 * @param {boolean} choice
 */
export function keepChoice(key, choice) {
  try {
    localStorage.setItem(key, choice ? "on" : "off");
  } catch (error) {
    console.info("localStorage", error.name);
  }
}

/**
 * A list of words that was kept in this tab; an empty one where none was.
 * @param {string} key
 * @returns {string[]}
 */
export function keptList(key) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter((word) => typeof word === "string") : [];
  } catch (error) {
    console.info("sessionStorage", error.name);
    return [];
  }
}

/**
 * Keep a list of words in this tab, also when its page is loaded again.
 * @param {string} key
 * @param {Iterable<string>} words
 */
export function keepList(key, words) {
  try {
    sessionStorage.setItem(key, JSON.stringify([...words]));
  } catch (error) {
    console.info("sessionStorage", error.name);
  }
}

/**
 * A whole number that was kept.
 * @param {string} key
 * @param {number} most what is kept and is none of 0 to `most` counts as not kept
 */
export function keptNumber(key, most) {
  try {
    const kept = Number(localStorage.getItem(key));
    return Number.isInteger(kept) && kept >= 0 && kept <= most ? kept : 0;
  } catch (error) {
    console.info("localStorage", error.name);
    return 0;
  }
}

/**
 * @param {string} key
 * @param {number} value
 */
export function keepNumber(key, value) {
  try {
    localStorage.setItem(key, String(value));
  } catch (error) {
    console.info("localStorage", error.name);
  }
}

/**
 * Text that was kept in this tab; "" where none was.
 * @param {string} key
 */
export function keptText(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch (error) {
    console.info("sessionStorage", error.name);
    return "";
  }
}

/**
 * Keep text in this tab, also when its page is loaded again.
 * @param {string} key
 * @param {string} text "" for none
 */
export function keepText(key, text) {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch (error) {
    console.info("sessionStorage", error.name);
  }
}
