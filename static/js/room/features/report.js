// Reporting somebody, or the room, to moderators: the form of the page for it, in a dialog, so that the sound goes on.
import { isolated } from "names";
import { api } from "shared/api";
import { catchFocus, find, findAll, write } from "shared/dom";
import { clock } from "shared/time";
import { known, say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Word } from "shared/word" */

const BEFORE = 120; // s of the room, until now, that the form proposes
const LONGEST = 600; // s (moderation/rules/reports.py)
const TIME = /^(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)$/;
// The form's fields by their names in the API.
const FIELDS = { subject: "about", category: "category", words: "words", from_ms: "starts", to_ms: "ends" };

/**
 * Seconds of room time; null for what is no time.
 * @param {string} text such as 1:23 or 1:02:03
 */
function secondsOf(text) {
  const match = TIME.exec(text.trim());
  return match && Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}

/**
 * What is wrong with a range, as field and key of its words; null for nothing.
 * @param {number | null} from seconds
 * @param {number | null} to seconds
 * @returns {[string, Word] | null}
 */
function wrongRange(from, to) {
  if (from === null) return ["starts", "report_time"];
  if (to === null) return ["ends", "report_time"];
  if (to <= from) return ["ends", "report_order"];
  return to - from > LONGEST ? ["ends", "report_long"] : null;
}

/** @returns {string} a mark by which the server knows the same report sent twice */
function newOnce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether a click on a link opens it elsewhere.
 * @param {MouseEvent} event
 */
function isForBrowser(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
}

/** @implements {Mounted} */
class Report {
  #room;
  #sheet = find("#report-sheet", HTMLDialogElement);
  #form = find("[data-report-form]", HTMLFormElement, this.#sheet);
  #done = find("[data-report-done]", HTMLElement, this.#sheet);
  #summary = find("[data-report-wrong]", HTMLElement, this.#form);
  #skew = 0; // ms by which the server's clock is ahead
  #once = "";
  /** @type {Map<string, string>} people who were on stage while this page was open: names by handle */
  #seen = new Map();

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#see(room.state);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    // What was changed is another report: the answer to the one before may have been lost on the way here.
    this.#form.addEventListener("input", () => {
      this.#once = newOnce();
    });
    find("[data-report-close]", HTMLElement, this.#form).addEventListener("click", () => this.#sheet.close());
    // What the dialog was opened from may be gone with the room.
    this.#sheet.addEventListener("close", () => catchFocus(find("#main")));
  }

  /** @type {Mounted["messages"]} */
  messages = {
    beat: ({ now }) => {
      this.#skew = Date.parse(now) - Date.now();
    },
  };

  /** @param {State} state */
  follow(state) {
    this.#see(state);
  }

  /** @param {State} state */
  #see(state) {
    for (const { user, name } of state.seats) this.#seen.set(user, name);
  }

  /** Seconds of room time, now or at its end. */
  get #now() {
    const { started_at: started, ended_at: ended } = this.#room.state.room;
    const now = ended ? Date.parse(ended) : Date.now() + this.#skew;
    return Math.max(0, (now - Date.parse(started ?? "")) / 1000);
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (find(`[name=${name}]`, HTMLElement, this.#form));
  }

  /** @param {string} about a handle; "" for the room as a whole */
  open(about) {
    const now = this.#now;
    const field = find("[name=about]", HTMLSelectElement, this.#form);
    const whole = field.options[0];
    const listener = about && !this.#seen.has(about) ? [[about, this.#room.faces.get(about)?.name ?? about]] : [];
    const people = [...this.#seen, ...listener].filter(([user]) => user !== this.#room.state.you.user);
    field.replaceChildren(whole, ...people.map(([user, name]) => new Option(`${isolated(name)} (@${user})`, user)));
    this.#form.reset();
    field.value = about;
    this.#field("starts").value = clock(now - BEFORE);
    this.#field("ends").value = clock(Math.ceil(now));
    this.#once = newOnce();
    this.#showWrong({});
    this.#form.hidden = false;
    this.#done.hidden = true;
    this.#sheet.showModal();
  }

  async #send() {
    const [from, to] = [secondsOf(this.#field("starts").value), secondsOf(this.#field("ends").value)];
    const category = this.#field("category").value;
    const words = this.#field("words").value;
    /** @type {Record<string, string>} */
    const wrong = {};
    if (!category) wrong.category = say("report_category");
    const range = wrongRange(from, to);
    if (range) wrong[range[0]] = say(range[1]);
    if (category === "other" && !words.trim()) wrong.words = say("report_words");
    this.#showWrong(wrong);
    if (Object.keys(wrong).length > 0) return;
    const button = find("[data-report-send]", HTMLButtonElement, this.#form);
    button.disabled = true;
    try {
      const subject = this.#field("about").value || null;
      const times = { from_ms: Number(from) * 1000, to_ms: Number(to) * 1000 };
      const body = { subject, category, words, ...times, once: this.#once };
      this.#received(await api("POST", `rooms/${this.#room.page.slug}/reports/`, body));
    } catch (refused) {
      this.#refused(refused);
    } finally {
      button.disabled = false;
    }
  }

  /** @param {{ id: string, text: string }} receipt */
  #received({ id, text }) {
    write(find("[data-report-number]", HTMLElement, this.#done), id);
    write(find("[data-report-text]", HTMLElement, this.#done), text);
    this.#form.hidden = true;
    this.#done.hidden = false;
    this.#done.focus();
  }

  /** @param {any} refused */
  #refused({ code, message, fields = {} }) {
    /** @type {Record<string, string>} */
    const wrong = {};
    for (const [name, text] of Object.entries(fields)) {
      const field = FIELDS[/** @type {keyof typeof FIELDS} */ (name)];
      const key = `report_refused_${name}`;
      if (field) wrong[field] = known(key) ? say(key) : String(text);
    }
    // One sentence about a range is enough.
    if (wrong.starts && wrong.ends) delete wrong.starts;
    const isSaid = Object.keys(wrong).length > 0;
    this.#showWrong(wrong, isSaid ? "" : code ? message : say("report_failed"));
  }

  /**
   * Show what is wrong beside its fields, and move the focus to the first of them; or to `text`, about all.
   * @param {Record<string, string>} wrong sentences by field
   * @param {string} [text]
   */
  #showWrong(wrong, text = "") {
    for (const old of findAll(".field .wrong", this.#form)) old.remove();
    for (const field of findAll("[aria-invalid]", this.#form)) field.removeAttribute("aria-invalid");
    for (const name of ["about", "category", "starts", "ends", "words"]) {
      const field = this.#field(name);
      const notes = `${field.id}_error`;
      const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== notes);
      if (wrong[name]) {
        const line = document.createElement("div");
        line.className = "wrong";
        line.id = notes;
        line.textContent = wrong[name];
        field.after(line);
        field.setAttribute("aria-invalid", "true");
        others.push(notes);
      }
      if (others.length > 0) field.setAttribute("aria-describedby", others.join(" "));
      else field.removeAttribute("aria-describedby");
    }
    this.#summary.hidden = !text;
    write(this.#summary, text);
    const [first] = findAll("[aria-invalid]", this.#form);
    if (first) first.focus();
    else if (text) this.#summary.focus();
  }
}

/** @satisfies {import("room/types").Feature} */
export const report = {
  mount(room) {
    // Signed out these are links to the page, which leads to signing in.
    const here = find("[data-report]", HTMLAnchorElement);
    const card = find("[data-person-report]", HTMLAnchorElement);
    let user = "";
    room.addEventListener("person", (event) => {
      user = /** @type {CustomEvent<string>} */ (event).detail;
      card.hidden = user === room.state.you.user;
      card.search = new URLSearchParams({ about: user }).toString();
    });
    if (room.state.you.user === null) return {};
    const form = new Report(room);
    here.addEventListener("click", (event) => {
      if (isForBrowser(event)) return;
      event.preventDefault();
      form.open("");
    });
    card.addEventListener("click", (event) => {
      if (isForBrowser(event)) return;
      event.preventDefault();
      find("#person-sheet", HTMLDialogElement).close();
      form.open(user);
    });
    return form;
  },
};
