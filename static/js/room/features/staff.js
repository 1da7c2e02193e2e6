// The bar of staff: the way to the room's case, and ending the room at once, after a question.
import { register } from "room/core/keys";
import { tell } from "room/core/notices";
import { confirmed } from "room/core/question";
import { isOver } from "room/core/state";
import { find, write } from "shared/dom";
import { say, sayMany } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { StaffPart } from "room/wire" */
/** @import { Mounted, State } from "room/types" */

const BUNDLED = 300; // ms: two hundred reports of one moment are read once

/**
 * Ask for the end of the room. Rejects with what `Room.attempt` says: an error with `code` and `message`, or any other
 * where there was no answer that could be read.
 * @param {string} url
 * @returns {Promise<string>} where rule and facts are written down; "" where the answer did not say it
 */
async function endRoom(url) {
  const token = find("[name=csrfmiddlewaretoken]", HTMLInputElement).value;
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const answer = await fetch(url, { method: "POST", headers, keepalive: true });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error.text), { code: said.error.code });
  return said.url ?? "";
}

/** @implements {Mounted} */
class StaffBar {
  #room;
  #bar;
  #words = find("[data-staff-words]");
  #case = find("[data-staff-case]", HTMLAnchorElement);
  #end = find("[data-staff-end]", HTMLButtonElement);
  #due = find("[data-staff-due]", HTMLAnchorElement);
  /** @type {HTMLElement | null} */
  #listen;
  #timer = 0;
  #hasEnded = false;

  /**
   * @param {Room} room
   * @param {HTMLElement} bar
   */
  constructor(room, bar) {
    this.#room = room;
    this.#bar = bar;
    this.#listen = bar.querySelector("[data-staff-listen]");
    this.#end.addEventListener("click", () => this.#ask());
    register(
      { key: "o", label: say("key_staff_case"), run: () => this.#case.click(), when: () => this.#offers(this.#case) },
      { key: "q", label: say("key_staff_end"), run: () => this.#ask(), when: () => this.#offers(this.#end) },
    );
    this.draw(room.state);
  }

  /** @type {Mounted["messages"]} */
  messages = {
    report_received: () => this.#refresh(),
    case_changed: () => this.#refresh(),
  };

  /** @param {HTMLElement} control */
  #offers(control) {
    return !this.#bar.hidden && !control.hidden;
  }

  /** @returns {StaffPart | null} */
  get #part() {
    return /** @type {StaffPart | null | undefined} */ (this.#room.state.you.parts.staff) ?? null;
  }

  /** A message says only that something changed: what it is now is in the next snapshot. */
  #refresh() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#room.ask("snapshot").catch((refused) => console.info("snapshot", refused.code));
    }, BUNDLED);
  }

  /** @param {State} state */
  draw(state) {
    const [part, isListening] = [this.#part, this.#room.page.staff];
    this.#bar.hidden = !part && !isListening && !this.#hasEnded;
    this.#case.hidden = !part?.case;
    if (part?.case) this.#case.href = part.case;
    if (this.#listen) this.#listen.hidden = !part || isOver(state);
    const hadFocus = document.activeElement === this.#end;
    this.#end.hidden = !part?.may_end || isOver(state) || this.#room.out !== null;
    if (hadFocus && this.#end.hidden) (this.#due.hidden ? this.#case : this.#due).focus();
    const listening = isListening && !isOver(state) ? say("staff_listens") : "";
    const reports = part ? sayMany("staff_reports", part.report_count) : "";
    write(this.#words, this.#hasEnded ? say("staff_ended") : [reports, listening].filter(Boolean).join(" "));
  }

  async #ask() {
    const url = this.#part?.end_url;
    const words = { title: say("staff_end_title"), text: say("staff_end_text"), yes: say("staff_end_yes") };
    if (!url || !(await confirmed({ ...words, isGrave: true }))) return;
    await this.#room.attempt(async () => {
      const due = await endRoom(url);
      this.#hasEnded = true;
      this.#due.hidden = !due;
      if (due) this.#due.href = due;
      this.draw(this.#room.state);
      tell(say("staff_ended"));
    });
  }
}

/** @satisfies {import("room/types").Feature} */
export const staff = {
  /** @returns {Mounted} */
  mount(room) {
    const bar = document.querySelector("[data-staff]");
    return bar instanceof HTMLElement ? new StaffBar(room, bar) : {};
  },
};
