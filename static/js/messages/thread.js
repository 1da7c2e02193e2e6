// A conversation: what arrives appears, what is written is sent without leaving the page, what was seen counts as read.
import { drafts } from "messages/draft";
import { fresh, oneAtATime } from "messages/fresh";
import { find, findAll, write } from "shared/dom";

const NEAR = 160; // px above the end of the page within which the reader follows what is new

const list = find("[data-lines]");
const isNewest = document.querySelector("[data-talk]") !== null; // not an earlier page of it
const form = document.querySelector("form[data-composer]");

let unseen = false; // something arrived while the page was out of sight

const isAtEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - NEAR;
const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

/**
 * Put a line in the place of one that has changed; the focus stays on it.
 * @param {HTMLElement} known
 * @param {HTMLElement} line
 */
function replace(known, line) {
  const isFocused = known.contains(document.activeElement);
  known.replaceWith(line);
  if (isFocused) line.focus();
}

/**
 * Take over the lines that are new, and those that change: cards, and what moderators remove or put back.
 * @param {Document} page
 */
function merge(page) {
  const follows = isAtEnd();
  const lines = findAll("[data-lines] > li", page);
  // So much came that some is on no page any more that this one has: begin anew. A draft is kept.
  if (list.children.length > 0 && !lines.some(({ id }) => document.getElementById(id))) return location.reload();
  for (const line of lines) {
    const known = document.getElementById(line.id);
    const isCard = "card" in line.dataset || "card" in (known?.dataset ?? {});
    if (!known) list.append(line);
    else if (isCard && known.innerHTML !== line.innerHTML) replace(known, line);
  }
  const none = document.querySelector(".talk-none");
  if (list.children.length > 0) none?.remove();
  if (follows) toEnd();
}

/**
 * Mark as read what the page shows, once it is seen.
 * @param {ParentNode} page
 */
async function read(page) {
  const unread = page.querySelector("form[data-read]");
  if (!(unread instanceof HTMLFormElement) || !isNewest) return;
  unseen = document.hidden;
  if (unseen) return;
  unread.hidden = true;
  const body = new FormData(unread);
  // The answer leads back to this page, which need not be loaded for it.
  await fetch(unread.action, { method: "POST", body, redirect: "manual" }).catch((error) =>
    console.info("read", error),
  );
}

const look = oneAtATime(async () => {
  const answer = await fresh(isNewest ? location.pathname : location.pathname + location.search);
  if (!answer?.ok || !answer.page.querySelector("[data-lines]")) return;
  merge(answer.page);
  await read(answer.page);
});

/** @param {HTMLFormElement} composer */
function compose(composer) {
  const text = find("textarea", HTMLTextAreaElement, composer);
  const wrong = find("[data-wrong]", HTMLElement, composer);
  const signIn = find("[data-sign-in]", HTMLElement, composer);
  const button = find("button.main", HTMLButtonElement, composer);
  const draft = drafts(location.pathname);
  if (!text.value) text.value = draft.kept();
  text.addEventListener("input", () => draft.keep(text.value));

  /** @param {string} sentence */
  const refuse = (sentence) => {
    write(wrong, sentence);
    text.ariaInvalid = sentence ? "true" : null;
    text.focus();
  };

  /** @param {Document} page what the form is like now: its token, and its mark */
  const renew = (page) => {
    for (const name of ["csrfmiddlewaretoken", "once"]) {
      const field = page.querySelector(`form[data-composer] [name=${name}]`);
      if (field instanceof HTMLInputElement) find(`[name=${name}]`, HTMLInputElement, composer).value = field.value;
    }
  };

  const post = () => fresh(composer.action, { method: "POST", body: new FormData(composer) });

  const send = async () => {
    let answer = await post();
    if (answer?.status === 403 && !answer.page.querySelector("[data-composer]")) {
      // Signing in again, in another tab, gave the browser another token.
      const current = await fresh(location.pathname);
      const token = current?.ok ? current.page.querySelector("[data-composer] [name=csrfmiddlewaretoken]") : null;
      if (token instanceof HTMLInputElement) {
        find("[name=csrfmiddlewaretoken]", HTMLInputElement, composer).value = token.value;
        answer = await post();
      } else answer = current;
    }
    signIn.hidden = !answer?.signedOut;
    const { offline = "", failed = "", signedOut = "" } = composer.dataset;
    if (!answer) return refuse(offline);
    if (answer.signedOut) return refuse(signedOut);
    if (!answer.ok) return refuse(answer.page.querySelector("[data-wrong]")?.textContent || failed);
    text.value = "";
    draft.keep("");
    refuse("");
    renew(answer.page);
    merge(answer.page);
    toEnd();
  };

  composer.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    await send();
    button.disabled = false;
  });
  keys(text, composer);
}

/**
 * Where there is a keyboard Enter sends; on a phone it begins a line, and the button sends.
 * @param {HTMLTextAreaElement} text
 * @param {HTMLFormElement} composer
 */
function keys(text, composer) {
  const desk = matchMedia("(pointer: fine)");
  find("[data-keys]", HTMLElement, composer).hidden = !desk.matches;
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !desk.matches) return;
    event.preventDefault();
    composer.requestSubmit();
  });
}

if (form instanceof HTMLFormElement) compose(form);
document.addEventListener("unread", (event) => {
  const { count, before } = /** @type {CustomEvent} */ (event).detail;
  if (count >= before) look();
});
if (isNewest) {
  document.addEventListener("visibilitychange", () => !document.hidden && unseen && look());
  const wanted = document.getElementById(location.hash.slice(1));
  if (!wanted?.matches(".talk-line:not(:last-child)")) toEnd();
  read(document);
}
