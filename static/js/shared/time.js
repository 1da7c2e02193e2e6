// Times as the reader writes them, in the reader's own zone. Nothing of the page is read before something is written.

/** The reader's own variant of the page's language: en-GB writes 14:02 where en-US writes 2:02 PM. */
export function locale() {
  const language = document.documentElement.lang || "en";
  return navigator.languages?.find((one) => one.split("-")[0] === language) ?? language;
}

/** The zone that a signed-in reader chose; undefined, which is the browser's, for everybody else. */
function timeZone() {
  const { zone } = document.documentElement.dataset;
  if (!zone) return undefined;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined; // a zone that this browser does not know yet: its own is the next best
  }
}

/**
 * Dates as `style` says, in the reader's language and zone.
 * @param {Intl.DateTimeFormatOptions} style
 */
export function dates(style) {
  return new Intl.DateTimeFormat(locale(), { ...style, timeZone: timeZone() });
}

/**
 * Days of the calendar from one moment to another in the reader's zone: -1 is yesterday, however long that day was.
 * @param {Date} from
 * @param {Date} to
 */
export function daysBetween(from, to) {
  const parts = dates({
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "numeric",
    day: "numeric",
  });
  const [day, other] = [from, to].map((at) => {
    const found = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(found.year, found.month - 1, found.day);
  });
  return Math.round((other - day) / 86_400_000);
}

/**
 * A moment (ISO 8601) as a time of day: 14:02.
 * @param {string} iso
 */
export function timeOfDay(iso) {
  return dates({ hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

/**
 * Seconds as people read them: 1:23, or 1:02:03 from an hour on.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  if (whole < 3600) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)}:${two(minutes)}:${two(whole % 60)}`;
}
