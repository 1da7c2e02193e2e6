// Acts of the case page without leaving it: a form is sent, and the parts of the page that changed are taken over from
// the answer, which is the page itself. Without script the same forms load it.
import { find, findAll, write } from "shared/dom";
import { say } from "shared/words";

const PARTS = "[data-part]";

/** @param {string} text read out, and shown to nobody */
export function tell(text) {
  write(find("[data-told]"), "");
  setTimeout(() => write(find("[data-told]"), text), 50);
}

/**
 * Send a form as the button that was pressed would. Resolves to the page of the answer, null where there is none.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
export async function send(form, submitter) {
  const body = new FormData(form, submitter);
  const address = submitter?.getAttribute("formaction") ?? form.action;
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(/** @type {any} */ (body)) }).catch(
    () => null,
  );
  if (!answer?.ok) {
    tell(say("case_failed"));
    show(say("case_failed"));
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/**
 * Take over what is new in another rendering of this page, without touching where somebody types.
 * @param {Document} page
 */
export function takeOver(page) {
  for (const part of findAll(PARTS)) {
    const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!fresh || fresh.innerHTML === part.innerHTML) continue;
    const focused = part.contains(document.activeElement) ? pathOf(document.activeElement) : null;
    part.replaceChildren(...document.importNode(fresh, true).childNodes);
    if (focused) part.querySelector(focused)?.dispatchEvent(new Event("focus"));
    const again = focused ? part.querySelector(focused) : null;
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }
  const said = [...page.querySelectorAll(".messages .message")].map((one) => one.textContent?.trim() ?? "");
  if (said.length) {
    tell(said.join(" "));
    show(said.join(" "));
  }
}

/** @param {string} text shown above the page until the next one */
function show(text) {
  const box = document.querySelector("[data-acted]") ?? document.createElement("div");
  box.className = "message case-acted";
  box.setAttribute("data-acted", "");
  box.textContent = text;
  find("#content-start").prepend(box);
}

/** @param {Element | null} element */
function pathOf(element) {
  if (!element) return null;
  if (element.id) return `#${element.id}`;
  return element.hasAttribute("data-key") ? `[data-key="${element.getAttribute("data-key")}"]` : null;
}

/** Forms that act on the case and stay on its page. */
export function actInPlace() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    if (!form.matches("[data-act], [data-range-form]")) return;
    if (event.submitter?.getAttribute("value") === "lines") return; // the lines have their own way
    event.preventDefault();
    const page = await send(form, event.submitter);
    if (!page) return;
    for (const field of form.querySelectorAll("textarea")) field.value = "";
    takeOver(page);
    form.dispatchEvent(new Event("acted", { bubbles: true }));
  });
}
