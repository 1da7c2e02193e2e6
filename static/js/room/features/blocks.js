// Blocking a person from their card; and the question, before somebody is heard whom one blocked, whether one stays.
import { CardActs } from "room/core/card";
import { notice } from "room/core/notices";
import { ClosingOffer, losesFocus } from "room/core/put_out";
import { isAnew, isOver, mayActOn, nameOf, seatOf } from "room/core/state";
import { api, personPath } from "shared/api";
import { find, findAll, listNames, write } from "shared/dom";
import { keepList, keptList } from "shared/kept";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/**
 * What a block does in this room: the reader leaves, the person is removed, or both stay.
 * @param {State} state
 * @param {string} user a handle
 */
function effect(state, user) {
  if (user === state.room.host) return "leave";
  const seat = seatOf(state, user);
  return (seat ? mayActOn(state, seat) : state.you.may.manage) ? "remove" : "stay";
}

/** @implements {Mounted} */
class Blocks {
  #room;
  #card;
  #sheet = find("#block-sheet", HTMLDialogElement);
  #question = find("#blocked-sheet", HTMLDialogElement);
  #offer;
  /** @type {Set<string>} people on stage whom the reader blocks: handles */
  #blocked = new Set();
  /** @type {Set<string>} those of them with whom the reader chose to stay, in this tab */
  #accepted;
  /** @type {string[]} those about whom the question is that is open */
  #asked = [];
  #leaves = false;
  #kept;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#offer = new ClosingOffer(room, this.#sheet);
    const { state, page } = room;
    this.#kept = `stay:${page.slug}`;
    this.#accepted = new Set(keptList(this.#kept).filter((user) => seatOf(state, user)));
    this.#reset(state);
    this.#card = new CardActs(room, {
      block: {
        fits: ({ user }, { you }) => user !== you.user,
        fitsListener: ({ user }, { you }) => user !== you.user,
        run: (user, name) => (this.#blocked.has(user) ? this.#unblock(user, name) : this.#ask(user, name)),
        word: ({ user }) => say(this.#blocked.has(user) ? "unblock" : "block"),
      },
    });
    this.#question.addEventListener("cancel", (event) => event.preventDefault());
    this.#question.addEventListener("close", () => this.#answered());
    this.#askAgain(state);
  }

  /** @type {Mounted["messages"]} */
  messages = {
    blocked_here: ({ user }) => user && this.#learn(user),
  };

  /**
   * Who leaves the stage and comes back is asked about again. The server says then whether the block still stands.
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
    for (const { user } of before.seats) {
      if (seatOf(state, user)) continue;
      this.#blocked.delete(user);
      this.#forget(user);
    }
    // At once, and not with the next drawing: until then the person would be heard.
    this.#askAgain(state);
  }

  /** @param {State} state */
  draw(state) {
    this.#card.draw(state);
  }

  /** @param {State} state */
  #reset(state) {
    this.#blocked = new Set(/** @type {string[] | undefined} */ (state.you.parts.blocked_on_stage) ?? []);
  }

  /** @param {string} user a handle */
  #learn(user) {
    this.#blocked.add(user);
    this.#askAgain(this.#room.state);
    this.#room.draw();
  }

  // --- from the card --------------------------------------------------------------------------------------------------

  /**
   * @param {string} user a handle
   * @param {string} name
   */
  #ask(user, name) {
    const { state } = this.#room;
    const sheet = this.#sheet;
    const what = effect(state, user);
    write(find("#block-title"), say("block_title", { name }));
    for (const part of findAll("[data-block-effect]", sheet)) part.hidden = part.dataset.blockEffect !== what;
    const isCohost = seatOf(state, user)?.role === "cohost";
    find("[data-block-cohost]", HTMLElement, sheet).hidden = what !== "remove" || !isCohost;
    this.#offer.show(state, what === "remove");
    sheet.returnValue = "";
    sheet.onclose = () => sheet.returnValue === "block" && this.#block(user, name, what);
    sheet.showModal();
  }

  /**
   * @param {string} user a handle
   * @param {string} name
   * @param {string} what its effect
   */
  async #block(user, name, what) {
    const [closes, movesFocus] = [this.#offer.isTaken, losesFocus(user)];
    if (!(await this.#room.attempt(() => api("POST", `${personPath(user)}block/`)))) return;
    // Who blocked the host is put out by the server, which says so.
    if (what !== "leave") notice(say("blocked", { name }));
    if (what === "stay") this.#learn(user);
    if (what === "remove" && movesFocus) find("#main").focus({ preventScroll: true });
    if (closes) await this.#offer.close();
  }

  /**
   * @param {string} user a handle
   * @param {string} name
   */
  async #unblock(user, name) {
    if (!(await this.#room.attempt(() => api("DELETE", `${personPath(user)}block/`)))) return;
    this.#blocked.delete(user);
    this.#forget(user);
    this.#room.draw();
    notice(say("unblocked", { name }));
  }

  // --- stay or leave --------------------------------------------------------------------------------------------------

  /**
   * Ask, unheard, about whom was not asked yet; nothing once they are gone.
   * @param {State} state
   */
  #askAgain(state) {
    const users = [...this.#blocked].filter((user) => seatOf(state, user) && !this.#accepted.has(user));
    if (this.#leaves) return;
    if (users.length < 1 || this.#room.out || isOver(state)) {
      if (this.#question.open) this.#question.close("gone");
      return;
    }
    this.#room.hush(true);
    if (this.#question.open && users.join() === this.#asked.join()) return;
    this.#asked = users;
    const names = users.map((user) => nameOf(this.#room.state, user));
    listNames(find("[data-blocked-names]", HTMLElement, this.#question), names);
    if (this.#question.open) return;
    this.#question.returnValue = "";
    this.#question.showModal();
  }

  #answered() {
    const { returnValue: answer } = this.#question;
    const { state, out } = this.#room;
    if (answer === "leave") return this.#leave();
    if (answer === "stay") {
      for (const user of this.#asked) this.#accepted.add(user);
      keepList(this.#kept, this.#accepted);
    }
    if (answer || out || isOver(state)) this.#room.hush(false);
    this.#askAgain(state); // about somebody who came meanwhile, or because there was no answer
  }

  /**
   * Ask again about somebody when they come back.
   * @param {string} user a handle
   */
  #forget(user) {
    if (this.#accepted.delete(user)) keepList(this.#kept, this.#accepted);
  }

  /** By the bar's way out. With the microphone closed nothing more is asked. */
  #leave() {
    this.#leaves = true;
    this.#room.stage.close();
    find('[data-do="leave"]', HTMLElement).click();
  }
}

/** @satisfies {import("room/types").Feature} */
export const blocks = {
  mount: (room) => (room.state.you.user === null ? {} : new Blocks(room)),
};
