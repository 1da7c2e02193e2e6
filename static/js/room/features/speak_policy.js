// Who may take a seat unasked, in words, and the host's choice with the question about those whom it leaves out.
import { labels } from "names";
import { tell } from "room/core/notices";
import { isOver, withRights, withRoom } from "room/core/state";
import { find, listNames, write } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Verbs } from "room/wire" */

/** @implements {Mounted} */
class SpeakPolicy {
  #room;
  #form = find("[data-speak-form]", HTMLFormElement);
  #choice = find("[name=policy]", HTMLSelectElement, this.#form);
  #sheet = find("#admitted-sheet", HTMLDialogElement);
  #shown = "";

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      room.attempt(() => this.#set(/** @type {Verbs["set_speak_policy"]["policy"]} */ (this.#choice.value)));
    });
  }

  /** @param {State} state */
  draw(state) {
    const { speak_policy: policy } = state.room;
    write(find("[data-speak]"), say(`speak_${policy}`, { name: state.room.host_name }));
    this.#form.hidden = !state.you.may.manage || isOver(state);
    if (policy !== this.#shown) this.#choice.value = policy;
    this.#shown = policy;
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow({ room: { speak_policy: policy, host_name: name } }, before) {
    if (policy === before.room.speak_policy) return;
    tell(`${say("speak_changed")} ${say(`speak_${policy}`, { name })}`);
  }

  /** @param {Verbs["set_speak_policy"]["policy"]} policy */
  async #set(policy) {
    const { not_admitted: handles } = await this.#room.ask("set_speak_policy", { policy });
    if (handles.length > 0) this.#askAbout(handles);
  }

  /** @param {string[]} handles people on stage whom the policy would not admit */
  #askAbout(handles) {
    const called = labels(this.#room.state.seats);
    const names = handles.map((handle) => called.get(handle) ?? handle);
    listNames(find("[data-admitted]", HTMLElement, this.#sheet), names);
    this.#sheet.returnValue = "";
    this.#sheet.onclose = () => {
      if (this.#sheet.returnValue !== "unseat") return;
      for (const user of handles) this.#room.attempt(() => this.#room.ask("unseat", { user }));
    };
    this.#sheet.showModal();
  }
}

/** @satisfies {import("room/types").Feature} */
export const speakPolicy = {
  reduce: {
    speak_policy_set: (state, { policy }) => withRights(withRoom(state, { speak_policy: policy })),
  },
  mount: (room) => new SpeakPolicy(room),
};
