// Listeners whom the reader follows, and the reader's own choice to listen unseen.

import { tell } from "room/core/notices";
import { drawRows } from "room/core/rows";
import { isOver, ownSeat } from "room/core/state";
import { WhileSeen } from "room/core/while_seen";
import { api } from "shared/api";
import { find, hit } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Face, Mounted, State } from "room/types" */

const SHORTEST = 5000; // ms between two readings
const EACH = 20; // ms more for each listener: however many look, they do not ask more often together

/** @implements {Mounted} */
class Faces {
  #room;
  #box = find("[data-faces]");
  #list = find("[data-faces-list]", HTMLElement, this.#box);
  #unseen = find("[data-unseen]");
  #tick = find("[data-unseen-tick]", HTMLInputElement);
  #watch;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    const pause = () => SHORTEST + EACH * room.state.listening;
    this.#watch = new WhileSeen("#listening", () => this.#read(), pause);
    this.#list.addEventListener("click", (event) => {
      const user = hit(event, "[data-user]")?.dataset.user;
      if (user) room.introduce(user);
    });
    this.#tick.checked = room.state.you.parts.unseen === true;
    this.#tick.addEventListener("change", () => this.#choose(this.#tick.checked));
  }

  /** @type {Mounted["messages"]} */
  messages = {
    unseen: ({ unseen = false }) => {
      this.#tick.checked = unseen;
    },
  };

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (state.you.parts !== before.you.parts) this.#tick.checked = state.you.parts.unseen === true;
    if (state.listening !== before.listening || state.you.may.manage !== before.you.may.manage) this.#watch.due();
  }

  /** @param {State} state */
  draw(state) {
    const isAside = this.#room.out !== null || isOver(state) || ownSeat(state) !== undefined || state.you.may.manage;
    this.#unseen.hidden = isAside;
    if (state.you.may.manage || isOver(state)) this.#box.hidden = true;
  }

  /** @param {boolean} unseen */
  async #choose(unseen) {
    if (await this.#room.attempt(() => this.#room.ask("listen_unseen", { unseen }))) {
      tell(say(unseen ? "unseen_now" : "seen_now"));
    } else this.#tick.checked = !unseen;
  }

  async #read() {
    const room = this.#room;
    if (room.manages || room.out || isOver(room.state)) return;
    /** @type {{ people: Face[], more: boolean }} */
    const { people, more } = await api("GET", `rooms/${room.page.slug}/audience/`).catch((refused) => {
      console.info("audience", refused.code ?? refused.name); // read again when the audience changes
      return { people: [], more: false };
    });
    for (const face of people) room.faces.set(face.user, face);
    this.#box.hidden = people.length < 1 || room.manages;
    find("[data-faces-more]", HTMLElement, this.#box).hidden = !more;
    drawRows(this.#list, "[data-face-item]", people, find("#main"));
  }
}

/** @satisfies {import("room/types").Feature} */
export const faces = {
  mount: (room) => (room.state.you.user === null ? {} : new Faces(room)),
};
