// Hands: one's own, with its place in the queue. The queue itself, for host and co-hosts, is in features/host_hands.
import { labels } from "names";
import { Own } from "room/core/hand_queue";
import { notice, tell } from "room/core/notices";
import { freePlaces, invitationToSpeak, isAnew, isOver, ownSeat, withRoom } from "room/core/state";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Local, Mounted, State } from "room/types" */
/** @import { Hands } from "room/wire" */

/**
 * Whether somebody listens who may be on a stage, and cannot simply sit down.
 * @param {State} state
 */
function wouldAsk(state) {
  const { may, user } = state.you;
  if (user === null || may.never_speak !== null || ownSeat(state)) return false;
  return !may.take_seat || (freePlaces(state) < 1 && user !== state.room.host);
}

/** @implements {Mounted} */
class OwnHand {
  #room;
  #own = new Own();

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#reset(room.state);
  }

  actions = { lower_hand: () => this.#room.attempt(() => this.#room.ask("lower_hand")) };

  /** @type {Mounted["messages"]} */
  messages = {
    hand_up: (message) => {
      const before = this.#own.hand;
      this.#change(() => this.#own.up(message));
      const isInvited = invitationToSpeak(this.#room.state);
      const words = isInvited ? "hand_up_invited" : "hand_up";
      if (this.#own.hand && !before) tell(say(words, { place: this.#own.hand.place }));
    },
    hand_place: (message) => {
      const before = this.#own.hand?.place;
      this.#change(() => this.#own.up(message));
      if (this.#own.hand?.place === 1 && before !== 1) notice(say("hand_next"));
    },
    hand_down: (message) => {
      this.#change(() => this.#own.down(message));
      if (message.outcome === "lost") notice(say("hand_lost"));
    },
    hand_declined: (message) => {
      this.#change(() => this.#own.down(message));
      notice(say("hand_declined"));
    },
    let_up: ({ by }) => {
      const name = by && labels(this.#room.state.seats).get(by);
      notice(name ? say("let_up_by", { name }) : say("on_stage"));
    },
  };

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
    const { hands_locked: locked } = state.room;
    if (locked === before.room.hands_locked || isOver(state) || !wouldAsk(state)) return;
    tell(say(locked ? "hands_locked" : "hands_open"));
  }

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { sound, lost, out }) {
    if (out || lost || isOver(state)) return [];
    if (this.#isUp(state)) return ["lower_hand"];
    const listens = sound !== "off" && sound !== "blocked";
    return listens && wouldAsk(state) && !state.room.hands_locked ? ["raise_hand"] : [];
  }

  /**
   * @param {State} state
   * @param {Local} local
   */
  hint(state, { lost, out }) {
    if (out || lost || isOver(state)) return null;
    const words = invitationToSpeak(state) ? "hand_place_invited" : "hand_place";
    if (this.#isUp(state)) return say(words, { place: this.#own.hand?.place ?? 1 });
    return wouldAsk(state) && state.room.hands_locked ? say("hands_locked") : null;
  }

  /** @param {State} state */
  #reset(state) {
    this.#own.reset(/** @type {Hands | undefined} */ (state.you.parts.hands)?.own ?? null);
  }

  /** @param {State} state */
  #isUp(state) {
    return this.#own.hand !== null && !ownSeat(state);
  }

  /** @param {() => void} work */
  #change(work) {
    work();
    this.#room.draw();
  }
}

/** @satisfies {import("room/types").Feature} */
export const hands = {
  reduce: {
    hands_locked: (state, { locked }) => withRoom(state, { hands_locked: locked }),
  },
  mount: (room) => new OwnHand(room),
};
