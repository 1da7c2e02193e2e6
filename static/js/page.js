// On every page: times in the reader's own zone and words, and menus that close when one looks elsewhere.
// The zone also goes into the `tz` cookie, so that the next page is right before script runs.

const styles = {
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "long", year: "numeric" },
  clock: { hour: "2-digit", minute: "2-digit" },
};

const language = document.documentElement.lang || "en";
/** The reader's own variant of the page's language: en-GB writes 14:02 where en-US writes 2:02 PM. */
export const locale = navigator.languages?.find((one) => one.split("-")[0] === language) ?? language;

function words(at, style) {
  const today = new Date().toDateString() === at.toDateString();
  if (style !== "short" || !today) return new Intl.DateTimeFormat(locale, styles[style] ?? styles.short).format(at);
  const day = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(0, "day");
  return `${day} ${new Intl.DateTimeFormat(locale, styles.clock).format(at)}`;
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

function rememberZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax`;
}

rememberZone();
upgradeTimes();
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
