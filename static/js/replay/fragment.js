// Links to a moment or a part: #t=83.2 or #t=83.2-95, in seconds; 1:23 is read too. Pure.

const TIME = String.raw`(?:\d+:){0,2}\d+(?:\.\d+)?`;
const FRAGMENT = new RegExp(`^#t=(${TIME})(?:-(${TIME}))?$`);

/** @param {string} text */
function seconds(text) {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/**
 * The part that a fragment means, or null for anything else.
 * @param {string} hash
 * @returns {import("replay/types").Part | null}
 */
export function read(hash) {
  const match = FRAGMENT.exec(hash);
  if (!match) return null;
  const from = seconds(match[1]);
  const to = match[2] === undefined ? null : seconds(match[2]);
  return to !== null && to <= from ? { from, to: null } : { from, to };
}

/**
 * @param {number} from
 * @param {number | null} to
 */
export function write(from, to = null) {
  const short = (/** @type {number} */ value) => String(Math.round(value * 10) / 10);
  return to === null ? `#t=${short(from)}` : `#t=${short(from)}-${short(to)}`;
}
