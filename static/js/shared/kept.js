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
