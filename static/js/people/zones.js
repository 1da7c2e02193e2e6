// Time zones found by some of their letters.

/**
 * Letters as they are compared: without case, accents and what stands between words.
 * @param {string} text
 */
const bare = (text) =>
  text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[\s_/-]+/g, " ")
    .trim();

/**
 * Which zones a search finds: those in whose name all its words occur.
 * @param {string[]} names
 * @param {string} query
 */
export function matching(names, query) {
  const words = bare(query).split(" ");
  return names.filter((name) => words.every((word) => bare(name).includes(word)));
}
