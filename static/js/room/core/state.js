// Reading the room's state, and the changes of it that features share. Pure: no DOM, no network.

/** @import { Snapshot, SeatState } from "room/wire" */
/** @import { State } from "room/types" */

/**
 * Nobody talks who is not at the table, is away, or has the microphone off, whatever was lost on the way.
 * @param {State} state
 * @returns {State}
 */
export function withoutGhosts(state) {
  const able = new Set(state.seats.filter((seat) => seat.connected && !seat.muted).map((seat) => seat.user));
  const talking = [...state.talking].filter((user) => able.has(user));
  return talking.length === state.talking.size ? state : { ...state, talking: new Set(talking) };
}

/**
 * The state out of a snapshot. Who talks is lossy and in no snapshot: it is kept.
 * @param {Snapshot} snapshot
 * @param {State | null} before
 * @returns {State}
 */
export function fromSnapshot(snapshot, before = null) {
  const { type: _type, now: _now, ...state } = snapshot;
  return { ...state, talking: before?.talking ?? new Set() };
}

/**
 * @param {State} state
 * @param {string} user a handle
 * @param {Partial<SeatState>} change
 * @returns {State}
 */
export function withSeat(state, user, change) {
  return { ...state, seats: state.seats.map((seat) => (seat.user === user ? { ...seat, ...change } : seat)) };
}

/**
 * @param {State} state
 * @param {Partial<State["room"]>} change
 * @returns {State}
 */
export function withRoom(state, change) {
  return { ...state, room: { ...state.room, ...change } };
}

/**
 * @param {State} state
 * @param {string | null} user
 */
export function seatOf(state, user) {
  return state.seats.find((seat) => seat.user === user);
}

/**
 * The reader's own seat, if they sit at the table.
 * @param {State} state
 */
export function ownSeat(state) {
  return state.you.user === null ? undefined : seatOf(state, state.you.user);
}

/**
 * The state with the reader's rights as they follow from seats, policy and host (`May` in rooms/wire/snapshot.py).
 * @param {State} state
 * @returns {State}
 */
export function withRights(state) {
  const { may, user } = state.you;
  if (user === null || isOver(state)) return state;
  const seat = ownSeat(state);
  const isHost = state.room.host === user;
  const helps = isHost || seat?.role === "cohost";
  const policy = state.room.speak_policy;
  const admitted = seat !== undefined || helps || may.speak_under.includes(policy);
  const refused = policy === "invited" ? "no_invitation" : "not_allowed_to_speak";
  const whyNot = may.never_speak ?? (admitted ? null : refused);
  const next = { ...may, take_seat: whyNot === null, why_not: whyNot, manage: helps, end: isHost };
  return { ...state, you: { ...state.you, may: next } };
}

/**
 * Whether the reader may act on a person on stage (`may_act_on` in rooms/rules/permissions.py): nobody on the host,
 * co-hosts not on each other.
 * @param {State} state
 * @param {SeatState} seat
 */
export function mayActOn({ you, room }, seat) {
  if (!you.may.manage || seat.role === "host" || seat.user === you.user) return false;
  return seat.role !== "cohost" || room.host === you.user;
}

/**
 * The key of the words for a microphone.
 * @param {SeatState} seat
 */
export function microphoneWord({ held, muted }) {
  if (held) return "mic_held";
  return muted ? "mic_off" : "mic_on";
}

/** @param {State} state */
export function freePlaces(state) {
  return state.room.max_speakers - state.seats.filter((seat) => seat.role === "speaker").length;
}

/** @param {State} state */
export function isOver(state) {
  return state.room.status !== "live";
}
