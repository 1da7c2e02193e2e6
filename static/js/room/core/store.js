// Holds the room's state: what arrives is dispatched, reducers change it, subscribers learn of it. No DOM, no network.
import { fromSnapshot, withoutGhosts } from "room/core/state";

/** @import { Snapshot, Message } from "room/wire" */
/** @import { Feature, OwnMessage, ReducersOf, State, Tables, Unsequenced } from "room/types" */

/**
 * The tables of some features in one. Raises an Error where two of them take the same.
 * @param {object[]} tables
 */
function merged(tables) {
  const names = tables.flatMap((table) => Object.keys(table));
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice) throw new Error(`two features take ${twice}`);
  return Object.assign({}, ...tables);
}

/**
 * The reducers of sequenced events. Its type has what the features really have: a table that lacks one is no Sequenced.
 * @template {readonly Feature[]} All
 * @param {All} features
 * @returns {ReducersOf<All>}
 */
export function sequencedOf(features) {
  return merged(features.map((feature) => feature.reduce ?? {}));
}

/**
 * @param {readonly Feature[]} features
 * @returns {Unsequenced}
 */
export function unsequencedOf(features) {
  return merged(features.map((feature) => feature.unsequenced ?? {}));
}

/** @typedef {Record<string, (state: State, value: any, at?: any) => State>} Table */

/**
 * The next state, and whether something was missed (`gap`): then the caller asks for a snapshot. An event that is
 * known already, or of a kind that is not known here, changes nothing but `seq`.
 * @param {Tables} tables
 * @param {State} state
 * @param {Message | OwnMessage} message
 * @returns {{ state: State, gap: boolean }}
 */
export function apply(tables, state, message) {
  const next = applied(tables, state, message);
  return next.state === state ? next : { ...next, state: withoutGhosts(next.state) };
}

/**
 * @param {Tables} tables
 * @param {State} state
 * @param {Message | OwnMessage} message
 * @returns {{ state: State, gap: boolean }}
 */
function applied(tables, state, message) {
  if (message.type === "snapshot") return { state: fromSnapshot(message, state), gap: false };
  if ("seq" in message && message.type !== "beat") {
    if (message.seq <= state.seq) return { state, gap: false };
    if (message.seq > state.seq + 1) return { state, gap: true };
    const change = /** @type {Table} */ (tables.sequenced)[message.type];
    const next = change ? change(state, message.data, message.at) : state;
    return { state: { ...next, seq: message.seq }, gap: false };
  }
  const change = /** @type {Table} */ (tables.unsequenced)[message.type];
  const gap = message.type === "beat" && message.seq > state.seq;
  return { state: change ? change(state, message) : state, gap };
}

export class Store {
  #tables;
  /** @type {Set<(state: State, before: State) => void>} */
  #subscribers = new Set();
  #state;

  /**
   * @param {Snapshot} snapshot
   * @param {Tables} tables
   */
  constructor(snapshot, tables) {
    this.#tables = tables;
    this.#state = fromSnapshot(snapshot);
  }

  get state() {
    return this.#state;
  }

  /**
   * Call `subscriber` after each change. Returns what ends it.
   * @param {(state: State, before: State) => void} subscriber
   */
  subscribe(subscriber) {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /**
   * Take a message in. Returns whether one before it was missed; then it changed nothing.
   * @param {Message | OwnMessage} message
   */
  dispatch(message) {
    const before = this.#state;
    const { state, gap } = apply(this.#tables, before, message);
    this.#state = state;
    if (state !== before) for (const subscriber of this.#subscribers) subscriber(state, before);
    return gap;
  }
}
