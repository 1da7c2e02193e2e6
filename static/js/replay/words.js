// Sentences of the page, translated by the server: say("range", { from: "1:02", to: "1:10" }).
import { isolated } from "names";

const words = JSON.parse(document.getElementById("replay-words").textContent);

export function say(name, values = {}) {
  return words[name].replace(/\{(\w+)\}/g, (all, key) => (key in values ? isolated(String(values[key])) : all));
}

/** Seconds as people read them: 1:23, or 1:02:03 from an hour on. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  if (whole < 3600) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)}:${two(minutes)}:${two(whole % 60)}`;
}

/** Reads a sentence out, and shows nothing: for what one sees anyway. */
export function tell(text) {
  const notice = document.querySelector("[data-notice]");
  if (!notice) return;
  notice.textContent = "";
  requestAnimationFrame(() => (notice.textContent = text));
}
