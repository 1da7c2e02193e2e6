// On every page: times in the reader's own zone and words, and menus that close when one looks elsewhere.
// The zone also goes into the `tz` cookie (zone.js), so that the next page is right before script runs.
import { findAll } from "shared/dom";
import { dates, daysBetween, locale } from "shared/time";
import "typed";
import "zone";

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const styles = {
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "long", year: "numeric" },
  full: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
  clock: { hour: "2-digit", minute: "2-digit" },
  brief: { day: "numeric", month: "short" },
  day: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
};
const NEAR = new Set(["short", "day", "brief"]); // say yesterday, today and tomorrow by name

/**
 * @param {Date} at
 * @param {string} style
 */
function words(at, style) {
  const away = daysBetween(new Date(), at);
  const isNear = Math.abs(away) < 2 && NEAR.has(style);
  if (!isNear) return dates(styles[style] ?? styles.short).format(at);
  if (style === "brief" && away === 0) return dates(styles.clock).format(at);
  const name = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(away, "day");
  return style === "short" ? `${name} ${dates(styles.clock).format(at)}` : name;
}

/** @param {ParentNode} root */
export function upgradeTimes(root = document) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.textContent = words(at, time.dataset.style ?? "short");
  }
}

/** @param {Event} event */
function closeMenus(event) {
  const key = event instanceof KeyboardEvent ? event.key : null;
  for (const menu of findAll("details.menu[open]")) {
    if (key ? key !== "Escape" : event.target instanceof Node && menu.contains(event.target)) continue;
    const hadFocus = menu.contains(document.activeElement);
    menu.removeAttribute("open");
    if (key && hadFocus) menu.querySelector("summary")?.focus();
  }
}

upgradeTimes();
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
