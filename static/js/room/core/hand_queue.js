// Hands as messages and snapshots tell of them. Pure: no DOM, no network. A hand is named by the moment it was raised
// (`raised_at`), so that messages may arrive in either order; places only ever get smaller.

/** @import { HandLowered, HandRaised, Hands, OwnHand, Personal } from "room/wire" */

/** The reader's own hand. */
export class Own {
  /** @type {OwnHand | null} */
  hand = null;
  #gone = "";

  /** @param {OwnHand | null} hand as a snapshot has it */
  reset(hand) {
    this.hand = hand && hand.raised_at > this.#gone ? hand : null;
  }

  /** @param {Personal} message `hand_up` or `hand_place` */
  up({ raised_at: at = "", place = 1 }) {
    if (at <= this.#gone || (this.hand && at < this.hand.raised_at)) return;
    const known = this.hand?.raised_at === at ? this.hand.place : place;
    this.hand = { raised_at: at, place: Math.min(known, place) };
  }

  /** @param {Personal} message `hand_down` or `hand_declined` */
  down({ raised_at: at = "" }) {
    if (at > this.#gone) this.#gone = at;
    if (this.hand && this.hand.raised_at <= at) this.hand = null;
  }
}

/** The queue, for host and co-hosts. */
export class Queue {
  /** @type {HandRaised[] | null} the first of them; null for readers who do not get to know it */
  first = null;
  count = 0;
  /** @type {Map<string, string>} by handle, when the last hand of that person that is down was raised */
  #gone = new Map();

  /** @param {Hands} part as a snapshot has it */
  reset({ queue, count }) {
    this.first = queue;
    this.count = count ?? 0;
  }

  /** Some are up, and too few of them are known: a snapshot has more. */
  get isShort() {
    return this.first !== null && this.first.length === 0 && this.count > 0;
  }

  /**
   * Returns whether it is new.
   * @param {HandRaised} hand
   */
  raise(hand) {
    const known = this.first;
    if (!known || (this.#gone.get(hand.user) ?? "") >= hand.raised_at) return false;
    if (known.some((one) => one.user === hand.user && one.raised_at >= hand.raised_at)) {
      // Told again: the person has another name or picture, or accepted an invitation meanwhile.
      const isSame = (/** @type {HandRaised} */ one) => one.user === hand.user && one.raised_at === hand.raised_at;
      this.first = known.map((one) => (isSame(one) ? { ...hand, invited: one.invited || hand.invited } : one));
      return false;
    }
    if (known.length === this.count) this.first = [...known, hand];
    this.count += 1;
    return true;
  }

  /** @param {HandLowered} hand */
  lower({ user, raised_at: at }) {
    if (!this.first) return;
    if (at > (this.#gone.get(user) ?? "")) this.#gone.set(user, at);
    const left = this.first.filter((one) => one.user !== user || one.raised_at > at);
    if (left.length < this.first.length || this.count > this.first.length) this.count -= 1;
    this.first = left;
  }
}
