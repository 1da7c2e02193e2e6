// One's own invitation to speak: the question in the room, and once it was accepted the place that waits.
import { notice } from "room/core/notices";
import { freePlaces, invitationToSpeak, isOver, ownSeat } from "room/core/state";
import { find, hit, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */

/** @implements {Mounted} */
class Invited {
  #room;
  #banner = find("[data-invited]");
  #waits = false; // the answer is on its way
  #later = false; // the place is known, and is not wanted now

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#banner.addEventListener("click", (event) => {
      const what = hit(event, "[data-invited-do]")?.dataset.invitedDo;
      if (what === "yes") this.#yes();
      if (what === "no") this.#no();
    });
  }

  /** @type {Mounted["messages"]} */
  messages = {
    invited: () => {
      this.#later = false;
      this.#ask();
    },
    invitation_revoked: () => {
      notice(say("invitation_taken_back"));
      this.#ask();
    },
  };

  /** @param {State} state */
  draw(state) {
    const own = this.#shown(state);
    const hadFocus = this.#banner.contains(document.activeElement);
    this.#banner.hidden = !own;
    if (hadFocus && this.#banner.hidden) find("#main").focus({ preventScroll: true });
    if (!own) return;
    const isPending = own.state === "pending";
    const name = own.by_name;
    write(
      find("[data-invited-words]", HTMLElement, this.#banner),
      say(isPending ? "invited_by" : "place_waits", { name }),
    );
    write(find('[data-invited-do="yes"]', HTMLElement, this.#banner), say(isPending ? "accept_invitation" : "go_seat"));
    write(find('[data-invited-do="no"]', HTMLElement, this.#banner), say(isPending ? "decline_invitation" : "later"));
  }

  /**
   * What the banner asks about: an invitation without an answer, or one that was accepted while a place is free.
   * @param {State} state
   */
  #shown(state) {
    const { out, lost } = this.#room.local;
    const own = invitationToSpeak(state);
    if (!own || this.#waits || out || lost || isOver(state) || ownSeat(state) || state.you.may.never_speak) return null;
    return own.state === "pending" || (freePlaces(state) > 0 && !this.#later) ? own : null;
  }

  async #yes() {
    const isPending = invitationToSpeak(this.#room.state)?.state === "pending";
    this.#room.act(isPending ? "accept_invitation" : "take_seat");
  }

  async #no() {
    const { state } = this.#room;
    if (invitationToSpeak(state)?.state === "pending") {
      this.#waits = true;
      const done = await this.#room.attempt(() => this.#room.ask("decline_invitation"));
      if (done) notice(say("invitation_declined_now"));
      await this.#ask();
      this.#waits = false;
    } else this.#later = true;
    this.#room.draw();
  }

  /** What one may do by an invitation stands in a snapshot. */
  async #ask() {
    try {
      await this.#room.ask("snapshot");
    } catch (refused) {
      console.info("snapshot", refused.code);
    }
  }
}

/** @satisfies {import("room/types").Feature} */
export const invited = {
  mount: (room) => (room.state.you.user === null ? {} : new Invited(room)),
};
