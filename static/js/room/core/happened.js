// Events as entries of what happened (rooms/queries/panel.py makes the same of the log), and entries as sentences. Pure.
import { nameOf, seatOf } from "room/core/state";
import { known, say } from "shared/words";

/** @import { State } from "room/types" */
/** @import { Event, Happened, SeatState } from "room/wire" */

/** @type {Event["type"][]} */
export const KINDS = [
  "room_opened",
  "seat_taken",
  "seat_left",
  "seat_muted",
  "seats_changed",
  "host_changed",
  "host_lost",
  "host_back",
  "recording_paused",
  "recording_resumed",
  "entry_policy_set",
  "speak_policy_set",
  "hands_locked",
];

/**
 * Entries of one event.
 * @param {Event} event
 * @param {State} state as it was before
 * @returns {Happened[]}
 */
export function entriesOf(event, state) {
  const nameIn = (/** @type {string | null} */ user) =>
    user ? (seatOf(state, user)?.name ?? nameOf(state, user)) : "";
  /** @returns {Happened} */
  const entry = (type = "", user = "", by = "", detail = "") => {
    const { seq, at } = event;
    return { seq, at, type, user, name: nameIn(user), by, by_name: nameIn(by), detail };
  };
  const { type } = event;
  if (type === "seats_changed") return changedRoles(event.data.seats, state).map(([kind, user]) => entry(kind, user));
  if (type === "seat_taken") {
    const { user, name } = event.data.seat;
    return [{ ...entry(type, user), name }];
  }
  if (type === "seat_muted") {
    const { user, by, held, muted } = event.data;
    return [entry(type, user, by ?? "", held ? "held" : muted ? "off" : "on")];
  }
  if (type === "host_changed") return [entry(type, event.data.host, event.data.former, event.data.reason)];
  if (type === "hands_locked") return [entry(type, "", "", event.data.locked ? "on" : "off")];
  const { user = "", reason = "", policy = "" } = /** @type {Record<string, string>} */ (event.data);
  return [entry(type, user, "", reason || policy)];
}

/**
 * @param {SeatState[]} seats
 * @param {State} state
 * @returns {[string, string][]} kinds and handles of people whose role is another one
 */
function changedRoles(seats, state) {
  const changed = seats.filter(({ user, role }) => (seatOf(state, user)?.role ?? role) !== role);
  return changed.map(({ user, role }) => [role === "cohost" ? "cohost_named" : "cohost_ended", user]);
}

/** @param {Happened} entry */
export function sentenceOf({ type, user, name, by, by_name: byName, detail }) {
  const names = { name: name || `@${user}`, other: byName || `@${by}` };
  const keys = [...(by ? [`happened_${type}_${detail}_by`] : []), `happened_${type}_${detail}`, `happened_${type}`];
  const key = keys.find(known);
  return key ? say(key, names) : "";
}
