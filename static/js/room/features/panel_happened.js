// What happened in the room, in words with room time: the last of it from the snapshot, then as it happens.
import { entriesOf, KINDS, sentenceOf } from "room/core/happened";
import { isAnew } from "room/core/state";
import { clone, find, findAll } from "shared/dom";
import { clock } from "shared/time";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Event, Happened, Panel } from "room/wire" */

const MOST = 50;

/** @implements {Mounted} */
class HappenedList {
  #list = find("[data-happened-list]");
  #room;
  /** @type {Happened[]} oldest first */
  #entries = [];

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#reset(room.state);
    /** @param {Event} event */
    const note = (event) => this.#note(event);
    this.messages = Object.fromEntries(KINDS.map((kind) => [kind, note]));
  }

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
  }

  /** @param {Event} event before the state has it */
  #note(event) {
    const { state } = this.#room;
    if (!state.you.may.manage || event.seq <= (this.#entries.at(-1)?.seq ?? 0)) return;
    this.#entries = [...this.#entries, ...entriesOf(event, state)].slice(-MOST);
    this.#draw();
  }

  /** @param {State} state */
  #reset(state) {
    const part = /** @type {Panel | null | undefined} */ (state.you.parts.panel);
    this.#entries = part?.happened ?? [];
    this.#draw();
  }

  #draw() {
    const rows = this.#entries.toReversed().map((entry) => {
      const row = clone("[data-happened-item]");
      const [time, text] = findAll("span", row);
      time.textContent = clock(entry.at / 1000);
      text.textContent = sentenceOf(entry);
      return row;
    });
    this.#list.replaceChildren(...rows);
  }
}

/** @satisfies {import("room/types").Feature} */
export const panelHappened = {
  mount: (room) => (room.state.you.user === null ? {} : new HappenedList(room)),
};
