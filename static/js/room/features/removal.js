// Removing people from the room, from their card, after a question; and the list of those who were, to let them in again.
import { CardActs } from "room/core/card";
import { notice } from "room/core/notices";
import { ClosingOffer, losesFocus } from "room/core/put_out";
import { isAnew, isOver, mayActOn, nameOf } from "room/core/state";
import { clone, find, findAll, hit, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/** @implements {Mounted} */
class Removal {
  #room;
  #card;
  #sheet = find("#remove-sheet", HTMLDialogElement);
  #offer;
  #panel = find("[data-removed]");
  #list = find("[data-removed-list]", HTMLElement, this.#panel);
  /** @type {Set<string>} handles, the latest last; empty for all but host and co-hosts */
  #removed = new Set();

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#offer = new ClosingOffer(room, this.#sheet);
    this.#reset(room.state);
    this.#card = new CardActs(room, {
      remove: {
        fits: (seat, state) => mayActOn(state, seat),
        fitsListener: ({ user }, { you }) => you.may.manage && user !== you.user,
        run: (user, name) => this.#ask(user, name),
      },
    });
    this.#panel.addEventListener("click", (event) => {
      const user = hit(event, "[data-let-in]") && hit(event, "[data-user]")?.dataset.user;
      if (user) this.#letIn(user);
    });
  }

  /** @type {Mounted["messages"]} */
  messages = {
    removed: ({ data: { user, by } }) => this.#changed(user, by, true),
    removal_undone: ({ data: { user, by } }) => this.#changed(user, by, false),
  };

  /**
   * Who becomes co-host gets the list with the next snapshot, which the queue of hands asks for (features/host_hands).
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
  }

  /** @param {State} state */
  draw(state) {
    this.#card.draw(state);
    this.#drawList(state);
  }

  /** @param {State} state */
  #reset(state) {
    this.#removed = new Set(/** @type {string[] | undefined} */ (state.you.parts.removed) ?? []);
  }

  /**
   * Somebody was removed or let in again, by the reader on some page of theirs or by another of the host's side.
   * @param {string} user a handle
   * @param {string} by a handle
   * @param {boolean} isRemoved
   */
  #changed(user, by, isRemoved) {
    const { state } = this.#room;
    if (isRemoved) this.#removed.add(user);
    else this.#removed.delete(user);
    this.#drawList(state);
    if (by === state.you.user) return;
    notice(say(isRemoved ? "removed_by" : "let_in_by", { name: nameOf(state, by), other: nameOf(state, user) }));
  }

  /**
   * @param {string} user a handle
   * @param {string} name
   */
  #ask(user, name) {
    const sheet = this.#sheet;
    write(find("#remove-title"), say("remove_title", { name }));
    this.#offer.show(this.#room.state);
    sheet.returnValue = "";
    sheet.onclose = () => sheet.returnValue === "remove" && this.#remove(user, name);
    sheet.showModal();
  }

  /**
   * @param {string} user a handle
   * @param {string} name
   */
  async #remove(user, name) {
    const [closes, movesFocus] = [this.#offer.isTaken, losesFocus(user)];
    if (!(await this.#room.attempt(() => this.#room.ask("remove", { user })))) return;
    this.#removed.add(user);
    this.#drawList(this.#room.state);
    notice(say("removed", { name }), { label: say("undo"), run: () => this.#letIn(user, name) });
    if (movesFocus) this.#place.focus({ preventScroll: true });
    if (closes) await this.#offer.close();
  }

  /**
   * @param {string} user a handle
   * @param {string} name
   */
  async #letIn(user, name = `@${user}`) {
    if (!(await this.#room.attempt(() => this.#room.ask("undo_removal", { user })))) return;
    this.#removed.delete(user);
    this.#drawList(this.#room.state);
    notice(say("let_in", { name }));
  }

  /** Where the focus goes when what had it is gone. */
  get #place() {
    return this.#panel.checkVisibility() ? this.#panel : find("#main");
  }

  /**
   * The button that was pressed goes with its line, with the answer or with the message, whichever comes first.
   * @param {State} state
   */
  #drawList(state) {
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.hidden = !state.you.may.manage || isOver(state) || this.#removed.size < 1;
    for (const old of findAll(":scope > li", this.#list)) if (!this.#removed.has(old.dataset.user ?? "")) old.remove();
    const shown = new Set(findAll(":scope > li", this.#list).map((item) => item.dataset.user));
    for (const user of this.#removed) {
      if (shown.has(user)) continue;
      const item = clone("[data-removed-item]");
      item.dataset.user = user;
      find("bdi", HTMLElement, item).textContent = `@${user}`;
      find("[data-let-in]", HTMLElement, item).setAttribute("aria-label", say("let_in_name", { name: `@${user}` }));
      this.#list.append(item);
    }
    const hasFocus = !this.#panel.hidden && this.#panel.contains(document.activeElement);
    if (hadFocus && !hasFocus) this.#place.focus({ preventScroll: true });
  }
}

/** @satisfies {import("room/types").Feature} */
export const removal = {
  mount: (room) => (room.state.you.user === null ? {} : new Removal(room)),
};
