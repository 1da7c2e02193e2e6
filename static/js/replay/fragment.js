// Links to a moment or a part: #t=83.2 or #t=83.2-95, in seconds; 1:23 is read too. Pure.

const TIME = String.raw`(?:\d+:){0,2}\d+(?:\.\d+)?`;
const FRAGMENT = new RegExp(`^#t=(${TIME})(?:-(${TIME}))?$`);

function seconds(text) {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** { from, to } in seconds (`to` is null for a moment), or null for anything else. */
export function read(hash) {
  const found = FRAGMENT.exec(hash);
  if (!found) return null;
  const from = seconds(found[1]);
  const to = found[2] === undefined ? null : seconds(found[2]);
  return to !== null && to <= from ? { from, to: null } : { from, to };
}

export function write(from, to = null) {
  const short = (value) => String(Math.round(value * 10) / 10);
  return to === null ? `#t=${short(from)}` : `#t=${short(from)}-${short(to)}`;
}
