// On every page: times in the reader's own zone and words, and menus that close when one looks elsewhere.
// The zone also goes into the `tz` cookie (zone.js), so that the next page is right before script runs.
import "typed";
import "zone";

const styles = {
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "long", year: "numeric" },
  full: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
  clock: { hour: "2-digit", minute: "2-digit" },
};

const language = document.documentElement.lang || "en";
/** The reader's own variant of the page's language: en-GB writes 14:02 where en-US writes 2:02 PM. */
export const locale = navigator.languages?.find((one) => one.split("-")[0] === language) ?? language;

/** The zone that a signed-in reader chose; for everybody else the browser's. */
export const timeZone = chosenZone();

function chosenZone() {
  const { zone } = document.documentElement.dataset;
  try {
    return zone && new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined; // a zone that this browser does not know yet: its own is the next best
  }
}

/** Dates as `style` says, in the reader's language and zone. */
export function dates(style) {
  return new Intl.DateTimeFormat(locale, { ...style, timeZone: timeZone || undefined });
}

function words(at, style) {
  const day = dates(styles.date);
  const today = day.format(new Date()) === day.format(at);
  if (style !== "short" || !today) return dates(styles[style] ?? styles.short).format(at);
  const name = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(0, "day");
  return `${name} ${dates(styles.clock).format(at)}`;
}

export function upgradeTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.textContent = words(at, time.dataset.style ?? "short");
  }
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = event.type !== "keydown" && menu.contains(event.target);
    if (inside || (event.type === "keydown" && event.key !== "Escape")) continue;
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (event.type === "keydown" && hadFocus) menu.querySelector("summary").focus();
  }
}

upgradeTimes();
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
