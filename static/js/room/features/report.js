// Reporting somebody, or the room, to moderators: the form of the page for it, in a dialog, so that the sound goes on.
import { isolated } from "names";
import { api } from "shared/api";
import { catchFocus, find, findAll, write } from "shared/dom";
import { clock } from "shared/time";
import { known, say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Word } from "shared/word" */

const LAST = 60; // s, until what was heard last, that the form proposes
const NEAR = 300; // ms by which sound comes late where it comes directly: the network and the browser's buffer
const LONGEST = 600; // s (moderation/rules/reports.py)
const TIME = /^(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)$/;
// The form's fields by their names in the API.
const FIELDS = {
  subject: "about",
  category: "category",
  words: "words",
  law: "law",
  from_ms: "starts",
  to_ms: "ends",
  good_faith: "good_faith",
};

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

/** What of a room its reader heard last, by the server's clock. */
class Heard {
  #room;
  #skew = 0; // ms by which the server's clock is ahead

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
  }

  /** @param {string} now by the server's clock, said by the socket */
  beat(now) {
    this.#skew = Date.parse(now) - Date.now();
  }

  /** The last minute that was heard: whole seconds of room time around it. */
  last() {
    const { started_at: started, ended_at: ended } = this.#room.state.room;
    const now = Date.now() + this.#skew;
    // Where sound comes late, what plays now is dated (EXT-X-PROGRAM-DATE-TIME); elsewhere it was said a moment ago.
    const heard = this.#room.audience.playingAt ?? now - NEAR;
    const at = Math.min(heard, now, ended ? Date.parse(ended) : now);
    const to = Math.max(1, Math.ceil((at - Date.parse(started ?? "")) / 1000));
    return [Math.max(0, to - LAST), to];
  }
}

/** @implements {Mounted} */
class Report {
  #room;
  #sheet = find("#report-sheet", HTMLDialogElement);
  #form = find("[data-report-form]", HTMLFormElement, this.#sheet);
  #done = find("[data-report-done]", HTMLElement, this.#sheet);
  #summary = find("[data-report-wrong]", HTMLElement, this.#form);
  #heard;
  #once = "";
  /** @type {Map<string, string>} people who were on stage while this page was open: names by handle */
  #seen = new Map();

  /**
   * @param {Room} room
   * @param {Heard} heard
   */
  constructor(room, heard) {
    this.#room = room;
    this.#heard = heard;
    this.#see(room.state);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    // What was changed is another report: the answer to the one before may have been lost on the way here.
    this.#form.addEventListener("input", () => {
      this.#once = newOnce();
    });
    find("[data-report-last]", HTMLElement, this.#form).addEventListener("click", () => this.#propose());
    find("[data-report-close]", HTMLElement, this.#form).addEventListener("click", () => this.#sheet.close());
    // What the dialog was opened from may be gone with the room.
    this.#sheet.addEventListener("close", () => catchFocus(find("#main")));
  }

  /** @param {State} state */
  follow(state) {
    this.#see(state);
  }

  /** @param {State} state */
  #see(state) {
    for (const { user, name } of state.seats) this.#seen.set(user, name);
  }

  /** Fill in the last minute that was heard. */
  #propose() {
    const [from, to] = this.#heard.last();
    this.#field("starts").value = clock(from);
    this.#field("ends").value = clock(to);
    this.#once = newOnce();
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (find(`[name=${name}]`, HTMLElement, this.#form));
  }

  /** @param {string} about a handle; "" for the room as a whole */
  open(about) {
    const field = find("[name=about]", HTMLSelectElement, this.#form);
    const whole = field.options[0];
    const listener = about && !this.#seen.has(about) ? [[about, this.#room.faces.get(about)?.name ?? about]] : [];
    const people = [...this.#seen, ...listener].filter(([user]) => user !== this.#room.state.you.user);
    field.replaceChildren(whole, ...people.map(([user, name]) => new Option(`${isolated(name)} (@${user})`, user)));
    this.#form.reset();
    field.value = about;
    this.#propose();
    this.#showWrong({});
    this.#form.hidden = false;
    this.#done.hidden = true;
    this.#sheet.showModal();
  }

  async #send() {
    const [from, to] = [secondsOf(this.#field("starts").value), secondsOf(this.#field("ends").value)];
    const category = this.#field("category").value;
    const words = this.#field("words").value;
    const law = this.#field("law").value;
    const good_faith = this.#field("good_faith").checked;
    /** @type {Record<string, string>} */
    const wrong = {};
    if (!category) wrong.category = say("report_category");
    const range = wrongRange(from, to);
    if (range) wrong[range[0]] = say(range[1]);
    if (category === "other" && !words.trim()) wrong.words = say("report_words");
    if (!good_faith) wrong.good_faith = say("report_faith");
    this.#showWrong(wrong);
    if (Object.keys(wrong).length > 0) return;
    const button = find("[data-report-send]", HTMLButtonElement, this.#form);
    button.disabled = true;
    try {
      const subject = this.#field("about").value || null;
      const times = { from_ms: Number(from) * 1000, to_ms: Number(to) * 1000 };
      const body = { subject, category, words, law, good_faith, ...times, once: this.#once };
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
    for (const name of ["about", "category", "starts", "ends", "words", "law", "good_faith"]) {
      const field = this.#field(name);
      const notes = `${field.id}_error`;
      const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== notes);
      if (wrong[name]) {
        const line = document.createElement("div");
        line.className = "wrong";
        line.id = notes;
        line.textContent = wrong[name];
        (field.type === "checkbox" ? field.closest(".field") : field.parentElement)?.append(line);
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
    // Signed out these are links to the page for everybody.
    const heard = new Heard(room);
    const messages = { beat: (/** @type {{ now: string }} */ { now }) => heard.beat(now) };
    const here = find("[data-report]", HTMLAnchorElement);
    const card = find("[data-person-report]", HTMLAnchorElement);
    let user = "";
    room.addEventListener("person", (event) => {
      user = /** @type {CustomEvent<string>} */ (event).detail;
      card.hidden = user === room.state.you.user || room.page.staff;
    });
    // Before a click, whatever makes it: the pointer, Enter, or a menu that copies the address.
    for (const kind of ["pointerdown", "focus", "click"]) {
      for (const link of [here, card]) {
        link.addEventListener(kind, () => {
          const [from, to] = heard.last();
          const query = new URLSearchParams({ from: String(from), to: String(to) });
          if (link === card) query.set("about", user);
          link.search = query.toString();
        });
      }
    }
    if (room.state.you.user === null) return { messages };
    const form = new Report(room, heard);
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
    return { messages, follow: (/** @type {State} */ state) => form.follow(state) };
  },
};
