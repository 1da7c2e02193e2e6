// Reading the room's state, and the changes of it that features share. Pure: no DOM, no network.
import { labels } from "names";
import { ofSnapshot, withoutDrafts } from "room/core/captions";

/** @import { Captions, Invitations, OwnInvitation, Snapshot, SeatState } from "room/wire" */
/** @import { Level, State } from "room/types" */

/**
 * Nobody talks who is not at the table, is away, or has the microphone off, whatever was lost on the way; and who is not
 * there or away has no weak connection.
 * @param {State} state
 * @returns {State}
 */
export function withoutGhosts(state) {
  const here = state.seats.filter((seat) => seat.connected);
  const able = new Set(here.filter((seat) => !seat.muted).map((seat) => seat.user));
  const connected = new Set(here.map((seat) => seat.user));
  const talking = [...state.talking].filter((user) => able.has(user));
  const quality = [...state.quality].filter(([user]) => connected.has(user));
  const captions = withoutDrafts(state.captions, state.seats);
  const isSame = talking.length === state.talking.size && quality.length === state.quality.size;
  if (isSame && captions === state.captions) return state;
  return { ...state, talking: new Set(talking), quality: new Map(quality), captions };
}

/**
 * @param {State} state
 * @param {string} user
 * @param {Level} level
 * @returns {State}
 */
export function withQuality(state, user, level) {
  const quality = new Map(state.quality);
  if (level === "good") quality.delete(user);
  else quality.set(user, level);
  return { ...state, quality };
}

/**
 * The state out of a snapshot. Who talks and whose connection is weak is lossy and in no snapshot: it is kept, as are
 * lines of captions.
 * @param {Snapshot} snapshot
 * @param {State | null} before
 * @returns {State}
 */
export function fromSnapshot(snapshot, before = null) {
  const { type: _type, now: _now, ...state } = snapshot;
  const captions = ofSnapshot(
    /** @type {Captions | undefined} */ (state.parts.captions),
    before?.captions,
    state.seats,
  );
  return { ...state, captions, talking: before?.talking ?? new Set(), quality: before?.quality ?? new Map() };
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
 * How a person is called in a sentence: by name, or with their handle where others are called alike or they have no seat.
 * @param {State} state
 * @param {string} user a handle
 */
export function nameOf(state, user) {
  return labels(state.seats).get(user) ?? `@${user}`;
}

/**
 * The reader's own seat, if they sit at the table.
 * @param {State} state
 */
export function ownSeat(state) {
  return state.you.user === null ? undefined : seatOf(state, state.you.user);
}

/**
 * Whether a snapshot came between two states: only it brings other `parts`. The reader's own parts change without one,
 * too, when a message is unread or somebody chooses to listen unseen.
 * @param {State} state
 * @param {State} before
 */
export function isAnew(state, before) {
  return state.parts !== before.parts;
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

/**
 * The reader's invitation to speak while it stands, answered or not.
 * @param {State} state
 * @returns {OwnInvitation | null}
 */
export function invitationToSpeak(state) {
  const own = /** @type {Invitations | undefined} */ (state.you.parts.invitations)?.own;
  return own?.kind === "speak" ? own : null;
}

/** @param {State} state */
export function freePlaces(state) {
  return state.room.max_speakers - state.seats.filter((seat) => seat.role === "speaker").length;
}

/**
 * Whether the reader, who is signed in, has yet to choose between listening seen and unseen.
 * @param {State} state
 */
export function isUndecided(state) {
  return state.you.parts.unseen === null;
}

/** @param {State} state */
export function isOver(state) {
  return state.room.status !== "live";
}
