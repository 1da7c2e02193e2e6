// Listeners whom the reader follows, and the reader's own choice to listen unseen: the server names nobody before it.

import { tell } from "room/core/notices";
import { drawRows } from "room/core/rows";
import { isOver, isUndecided, ownSeat } from "room/core/state";
import { WhileSeen } from "room/core/while_seen";
import { api } from "shared/api";
import { find, hit } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Face, Local, Mounted, State } from "room/types" */

const SHORTEST = 5000; // ms between two readings
const EACH = 20; // ms more for each listener: however many look, they do not ask more often together

/** @implements {Mounted} */
class Faces {
  #room;
  #box = find("[data-faces]");
  #list = find("[data-faces-list]", HTMLElement, this.#box);
  #unseen = find("[data-unseen]");
  #tick = find("[data-unseen-tick]", HTMLInputElement);
  #undecided = find("[data-unseen-undecided]");
  /** @type {boolean | null} what was pressed here, also while the server does not know it yet */
  #wanted = null;
  #isAsking = false;
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
    this.#tick.addEventListener("change", () => this.#choose(this.#tick.checked));
  }

  actions = {
    listen_unseen: () => {
      this.#room.audience.start(); // in the click itself, as browsers want it
      this.#choose(true);
    },
  };

  /** @type {Mounted["messages"]} */
  messages = {
    unseen: ({ unseen = false }) => this.#room.dispatch({ type: "chosen", unseen }),
    audience: () => this.#watch.due(true),
    beat: () => this.#watch.due(), // of those who chose in a crowd, or whom many follow, not everybody is told
  };

  /**
   * At the door, beside Listen.
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { sound, lost, out }) {
    const isAtDoor = isUndecided(state) && !ownSeat(state) && !state.you.may.manage && !isOver(state);
    return isAtDoor && !lost && !out && (sound === "off" || sound === "blocked") ? ["listen_unseen"] : [];
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (state.listening !== before.listening || state.you.may.manage !== before.you.may.manage) this.#watch.due();
  }

  /** @param {State} state */
  draw(state) {
    const isAside = this.#room.out !== null || isOver(state) || ownSeat(state) !== undefined || state.you.may.manage;
    this.#unseen.hidden = isAside || isUndecided(state);
    this.#undecided.hidden = isAside || !isUndecided(state);
    if (!this.#isAsking) this.#tick.checked = state.you.parts.unseen === true;
    const isThere = this.#room.audience.isOn || ownSeat(state) !== undefined;
    if (isThere && isUndecided(state) && !this.#room.out && !isOver(state)) this.#settle();
    if (state.you.may.manage || isOver(state)) this.#box.hidden = true;
  }

  /** @param {boolean} unseen */
  async #choose(unseen) {
    this.#wanted = unseen;
    if (await this.#room.attempt(() => this.#send(unseen))) tell(say(unseen ? "unseen_now" : "seen_now"));
    else this.#tick.checked = !unseen;
  }

  /** Whoever is there without having pressed anything else is seen. Until it worked, each change tries it again. */
  async #settle() {
    if (this.#isAsking) return;
    await this.#send(this.#wanted ?? false).catch((refused) => console.info("listen_unseen", refused.code));
  }

  /** @param {boolean} unseen */
  async #send(unseen) {
    this.#isAsking = true;
    try {
      await this.#room.ask("listen_unseen", { unseen });
      this.#room.dispatch({ type: "chosen", unseen });
    } finally {
      this.#isAsking = false;
    }
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
  unsequenced: {
    chosen: (state, { unseen }) => ({ ...state, you: { ...state.you, parts: { ...state.you.parts, unseen } } }),
  },
  mount: (room) => (room.state.you.user === null ? {} : new Faces(room)),
};
