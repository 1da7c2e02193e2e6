// The panel's list of the stage: role, microphone, connection, and how long each has spoken.
import { labels } from "names";
import { drawRows } from "room/core/rows";
import { freePlaces, isAnew, microphoneWord } from "room/core/state";
import { find, hit, write } from "shared/dom";
import { clock } from "shared/time";
import { number, say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Panel, SeatState } from "room/wire" */

const ROLES = ["host", "cohost", "speaker"];

/** @implements {Mounted} */
class StageList {
  #panel = find("[data-panel-stage]");
  #list = find("[data-stage-list]", HTMLElement, this.#panel);
  #room;
  /** @type {Record<string, number>} milliseconds by handle */
  #talked = {};

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#reset(room.state);
    this.#list.addEventListener("click", (event) => {
      const user = hit(event, ".person-row") && hit(event, "[data-user]")?.dataset.user;
      if (user) room.introduce(user);
    });
  }

  /** @type {Mounted["messages"]} */
  messages = {
    talk_time: ({ data: { talked } }) => {
      this.#talked = { ...this.#talked, ...talked };
      this.#room.draw();
    },
  };

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
  }

  /** @param {State} state */
  draw(state) {
    if (!this.#room.manages) return;
    const { max_speakers: most } = state.room;
    write(find("[data-stage-count]"), `${number(most - freePlaces(state))}/${number(most)}`);
    const called = labels(state.seats);
    const all = state.seats.reduce((sum, { user }) => sum + this.#spoken(user), 0);
    const inOrder = state.seats.toSorted((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
    const people = inOrder.map((seat) => ({ ...seat, name: called.get(seat.user) ?? seat.name }));
    drawRows(this.#list, "[data-stage-item]", people, find("#panel-title"), (row, seat) => {
      write(find("[data-row-line]", HTMLElement, row), this.#line(seat, state));
      write(find("[data-row-time]", HTMLElement, row), clock(this.#spoken(seat.user) / 1000));
      const share = all > 0 ? this.#spoken(seat.user) / all : 0;
      find(".talk-share i", HTMLElement, row).style.setProperty("--share", share.toFixed(3));
    });
  }

  /** @param {string} user */
  #spoken(user) {
    return this.#talked[user] ?? 0;
  }

  /**
   * @param {SeatState} seat
   * @param {State} state
   */
  #line(seat, { quality }) {
    const level = quality.get(seat.user);
    const sound = seat.connected ? microphoneWord(seat) : "away";
    const role = seat.role === "speaker" ? [] : [say(seat.role)];
    return [...role, say(sound), ...(level ? [say(`quality_seat_${level}`)] : [])].join(" · ");
  }

  /** @param {State} state */
  #reset(state) {
    const part = /** @type {Panel | null | undefined} */ (state.you.parts.panel);
    this.#talked = part?.talked ?? {};
  }
}

/** @satisfies {import("room/types").Feature} */
export const panelStage = {
  mount: (room) => new StageList(room),
};
