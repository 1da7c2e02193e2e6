// The form of an appeal: what is typed is saved on the server as one goes, so that nothing is lost.
import { find } from "shared/dom";

const SOON = 1500; // ms after the last letter

const form = find("[data-appeal]", HTMLFormElement);
const text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("words"));
const state = find("[data-saved]");
let timer = 0;
let saved = text.value;

async function save() {
  clearTimeout(timer);
  const typed = text.value;
  if (typed === saved) return;
  const body = new FormData(form);
  body.set("do", "save");
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(form.action, { method: "POST", body, headers, keepalive: true });
    const said = await answer.json();
    if (answer.ok) saved = typed;
    state.textContent = answer.ok ? (form.dataset.kept ?? "") : said.error;
  } catch {
    state.textContent = form.dataset.notKept ?? "";
  }
}

text.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(save, SOON);
});
// A phone ends pages that are not in sight.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) save();
});
window.addEventListener("online", save);
// What is sent is no draft any more.
form.addEventListener("submit", () => {
  clearTimeout(timer);
  saved = text.value;
});
