// The panel's list of the audience: names of those who are seen, with a search on the server.

import { tell } from "room/core/notices";
import { drawRows } from "room/core/rows";
import { isOver } from "room/core/state";
import { WhileSeen } from "room/core/while_seen";
import { api } from "shared/api";
import { find, hit, write } from "shared/dom";
import { number, sayMany } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Face, Mounted, State } from "room/types" */

const PAUSE = 4000; // ms between two readings of one list
const TYPED = 300; // ms without a key after which one has typed
const ANSWERED = 1000; // ms after which the number of finds is read out

/** @implements {Mounted} */
class AudienceList {
  #panel = find("[data-audience]");
  #list = find("[data-audience-list]", HTMLElement, this.#panel);
  #more = find("[data-audience-more]", HTMLButtonElement, this.#panel);
  #query = find("#audience-q", HTMLInputElement);
  #room;
  #watch;
  /** @type {Face[]} */
  #people = [];
  /** What was asked last: an answer to something else is not shown. */
  #asked = 0;
  #isLong = false; // more than the first page is shown: it is not read again by itself
  /** A search whose number of finds is to be read out, whichever reading brings it. */
  #isUnsaid = false;
  #timer = 0;
  #saying = 0;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#watch = new WhileSeen(
      "[data-audience]",
      () => room.manages && !isOver(room.state) && !this.#isLong && this.#read(),
      () => PAUSE,
    );
    find("[data-audience-form]", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
    });
    this.#query.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), TYPED);
    });
    this.#more.addEventListener("click", () => this.#readOn());
    this.#list.addEventListener("click", (event) => {
      const user = hit(event, "[data-user]")?.dataset.user;
      if (user) room.introduce(user);
    });
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    const isNew = state.you.may.manage && !before.you.may.manage;
    if (isNew || state.listening !== before.listening || state.seats !== before.seats) this.#watch.due();
  }

  /**
   * `audience` comes when somebody chose to be seen or unseen; `beat`, every five seconds, for what was lost on the way.
   * @type {Mounted["messages"]}
   */
  messages = {
    audience: () => this.#watch.due(true),
    beat: () => this.#watch.due(),
    hand_raised: () => this.#watch.due(),
    hand_lowered: () => this.#watch.due(),
  };

  #search() {
    clearTimeout(this.#timer);
    clearTimeout(this.#saying);
    this.#isLong = false;
    this.#isUnsaid = this.#query.value.trim() !== "";
    this.#read();
  }

  async #read() {
    const answer = await this.#ask("");
    if (!answer) return; // too late, or none
    this.#show(answer, answer.people);
    if (!this.#isUnsaid || answer.found === null) return;
    this.#isUnsaid = false;
    this.#saying = setTimeout(() => tell(sayMany("audience_found", answer.found)), ANSWERED);
  }

  async #readOn() {
    const answer = await this.#ask(this.#people.at(-1)?.user ?? "");
    if (!answer) return;
    const known = new Set(this.#people.map(({ user }) => user));
    const added = /** @type {Face[]} */ (answer.people).filter(({ user }) => !known.has(user));
    this.#isLong = true;
    this.#show(answer, [...this.#people, ...added]);
    if (added[0]) find(`li[data-user="${added[0].user}"] button`, HTMLElement, this.#list).focus();
  }

  /** @param {string} after a handle */
  async #ask(after) {
    this.#asked += 1;
    const [mine, query] = [this.#asked, new URLSearchParams({ q: this.#query.value.trim(), after })];
    /** @type {any} */
    let answer = null;
    await this.#room.attempt(async () => {
      answer = await api("GET", `rooms/${this.#room.page.slug}/audience/?${query}`);
    });
    return mine === this.#asked ? answer : null;
  }

  /**
   * @param {{ listening: number, named: number | null, more: boolean }} answer
   * @param {Face[]} people
   */
  #show({ listening, named, more }, people) {
    if (named === null) return; // no longer host or co-host
    this.#people = people;
    for (const face of people) this.#room.faces.set(face.user, face);
    write(find("[data-audience-count]"), number(listening));
    const unnamed = Math.max(0, listening - named);
    write(
      find("[data-audience-line]"),
      `${sayMany("audience_named", named)} · ${sayMany("audience_unnamed", unnamed)}`,
    );
    const hadFocus = this.#more === document.activeElement;
    this.#more.hidden = !more;
    if (hadFocus && !more) this.#panel.focus({ preventScroll: true });
    drawRows(this.#list, "[data-audience-item]", people, this.#panel, (row, { user }) =>
      write(find("[data-row-line]", HTMLElement, row), `@${user}`),
    );
  }
}

/** @satisfies {import("room/types").Feature} */
export const panelAudience = {
  mount: (room) => (room.state.you.user === null ? {} : new AudienceList(room)),
};
