// Following a person from their card. Whether the reader does already is asked when the card opens.
import { api, personPath } from "shared/api";
import { find } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */

class Follow {
  #room;
  #button = find("[data-person-follow]", HTMLButtonElement);
  #word = find("span", HTMLElement, this.#button);
  #user = "";
  #follows = false;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    room.addEventListener("person", (event) => this.#open(/** @type {CustomEvent<string>} */ (event).detail));
    this.#button.addEventListener("click", () => this.#toggle());
  }

  /** @param {string} user a handle */
  async #open(user) {
    this.#user = user;
    this.#button.hidden = this.#room.state.you.user === user;
    if (this.#button.hidden) return;
    this.#show(false, true);
    await this.#ask(user, "GET", "");
  }

  /**
   * @param {boolean} follows
   * @param {boolean} isAsked whether the answer is still under way
   */
  #show(follows, isAsked) {
    this.#follows = follows;
    this.#button.disabled = isAsked;
    this.#word.textContent = say(follows ? "unfollow" : "follow");
  }

  #toggle() {
    return this.#ask(this.#user, this.#follows ? "DELETE" : "POST", "follow/");
  }

  /**
   * @param {string} user
   * @param {string} method
   * @param {string} path
   */
  async #ask(user, method, path) {
    await this.#room.attempt(async () => {
      const { followed_by_you: follows } = await api(method, personPath(user) + path);
      if (user === this.#user) this.#show(follows, false);
    });
  }
}

/** @satisfies {import("room/types").Feature} */
export const follow = {
  mount(room) {
    if (room.state.you.user !== null) new Follow(room);
    return {};
  },
};
