// Fields for text that people type (core/fields.py): the browser says when there is too much in them, counting as the
// server does, in characters as people see them. `maxlength` would count UTF-16, and cut what is pasted without a word.
const segmenter = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The length of a text in characters as people see them.
 * @param {string} text
 */
export function count(text) {
  const plain = text.normalize("NFC").trim();
  return segmenter ? [...segmenter.segment(plain)].length : [...plain].length;
}

/** @param {Event} event */
function check({ target }) {
  if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)) return;
  const most = Number(target.dataset.most);
  if (!most) return;
  const length = target.value.length > most ? count(target.value) : 0; // never more than there are units of UTF-16
  const { tooLong = "" } = document.body.dataset;
  const sentence = tooLong.replace("{most}", String(most)).replace("{length}", String(length));
  target.setCustomValidity(length > most ? sentence : "");
}

document.addEventListener("input", check);
