// One's own invitation to speak: the question in the room, and once it was accepted the place that waits.
import { notice } from "room/core/notices";
import { freePlaces, invitationToSpeak, isOver, ownSeat } from "room/core/state";
import { find, hit, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Controls, Mounted, State } from "room/types" */

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

  /**
   * @param {State} state
   * @param {Controls} controls
   */
  draw(state, { shown }) {
    const words = this.#asks(state, shown.includes("lower_hand"));
    const hadFocus = this.#banner.contains(document.activeElement);
    this.#banner.hidden = !words;
    if (hadFocus && !words) find("#main").focus({ preventScroll: true });
    if (!words) return;
    const [text, yes, no] = words;
    write(find("[data-invited-words]", HTMLElement, this.#banner), text);
    write(find('[data-invited-do="yes"]', HTMLElement, this.#banner), yes);
    write(find('[data-invited-do="no"]', HTMLElement, this.#banner), no);
  }

  /**
   * What the banner says and its buttons: about an invitation without an answer, or about one that was accepted while
   * the person neither sits nor has a hand up.
   * @param {State} state
   * @param {boolean} hasHand
   */
  #asks(state, hasHand) {
    const { out, lost } = this.#room.local;
    const own = invitationToSpeak(state);
    if (!own || this.#waits || out || lost || isOver(state) || ownSeat(state) || state.you.may.never_speak) return null;
    if (own.state === "pending") {
      return [say("invited_by", { name: own.by_name }), say("accept_invitation"), say("decline_invitation")];
    }
    if (this.#later) return null;
    if (freePlaces(state) > 0) return [say("place_waits"), say("go_seat"), say("later")];
    return hasHand ? null : [say("queue_waits"), say("go_hand"), say("later")];
  }

  #yes() {
    const { state } = this.#room;
    if (invitationToSpeak(state)?.state === "pending") this.#room.act("accept_invitation");
    else this.#room.act(freePlaces(state) > 0 ? "take_seat" : "raise_hand");
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
