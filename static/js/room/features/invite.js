// Inviting people to this room, in a dialog. What invites stands in invite/form, which has a page of its own, too.
import { InviteForm } from "invite/form";
import { isOver } from "room/core/state";
import { catchFocus, find, findAll } from "shared/dom";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/** @implements {Mounted} */
class Invite {
  #sheet = find("#invite-sheet", HTMLDialogElement);
  #form = new InviteForm(find("[data-invite]", HTMLElement, this.#sheet));

  /** @param {Room} room */
  constructor(room) {
    this.draw(room.state);
    for (const link of findAll("a[data-invite-open]")) link.addEventListener("click", (event) => this.#open(event));
    this.#sheet.addEventListener("click", (event) => event.target === this.#sheet && this.#sheet.close());
    this.#sheet.addEventListener("close", () => {
      this.#form.begin();
      catchFocus(find("#main"));
    });
  }

  /** @param {MouseEvent} event */
  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // elsewhere, by the browser
    event.preventDefault();
    this.#form.open();
    this.#sheet.showModal();
  }

  /** @param {State} state */
  draw(state) {
    this.#form.mayInviteToSpeak = state.you.may.manage;
    if (isOver(state)) this.#sheet.close();
  }
}

/** @satisfies {import("room/types").Feature} */
export const invite = {
  mount: (room) => (room.state.you.user === null ? {} : new Invite(room)),
};
