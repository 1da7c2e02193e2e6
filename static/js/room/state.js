// What is known of the room: a pure function of the last snapshot and the messages since. No DOM, no network.

/** The state out of a snapshot. `talking` are handles; it is lossy and starts empty. */
export function fromSnapshot(snapshot, before = null) {
  const here = new Set(snapshot.seats.map((seat) => seat.user));
  return {
    seq: snapshot.seq,
    room: snapshot.room,
    seats: snapshot.seats,
    listening: snapshot.listening,
    you: snapshot.you,
    talking: new Set([...(before?.talking ?? [])].filter((user) => here.has(user))),
  };
}

const NOTHING_MORE = {
  take_seat: false,
  why_not: "room_ended",
  end: false,
  mute_others: false,
  set_entry_policy: false,
};

function withSeat(state, user, change) {
  return { ...state, seats: state.seats.map((seat) => (seat.user === user ? { ...seat, ...change } : seat)) };
}

function withTalking(state, user, talking) {
  if (state.talking.has(user) === talking) return state;
  const next = new Set(state.talking);
  if (talking) next.add(user);
  else next.delete(user);
  return { ...state, talking: next };
}

function without(state, user) {
  return { ...withTalking(state, user, false), seats: state.seats.filter((seat) => seat.user !== user) };
}

const sequenced = {
  room_opened: (state) => state,
  room_ended: (state, data) => ({
    ...state,
    seats: [],
    talking: new Set(),
    room: {
      ...state.room,
      status: "ended",
      end_reason: data.reason,
      ended_at: data.ended_at,
      host_lost_at: null,
      host_ends_at: null,
      recording_paused_at: null,
    },
    you: { ...state.you, may: { ...state.you.may, ...NOTHING_MORE } },
  }),
  seat_taken: (state, { seat }) => ({
    ...state,
    seats: [...state.seats.filter((one) => one.user !== seat.user), seat].sort((a, b) => a.place - b.place),
  }),
  seat_left: (state, { user }) => without(state, user),
  seat_muted: (state, { user, muted }) => withSeat(muted ? withTalking(state, user, false) : state, user, { muted }),
  host_lost: (state, { lost_at, ends_at }) => withHost(state, lost_at, ends_at),
  host_back: (state) => withHost(state, null, null),
  recording_paused: (state, { paused_at }) => withPause(state, paused_at),
  recording_resumed: (state) => withPause(state, null),
  entry_policy_set: (state, { policy }) => ({ ...state, room: { ...state.room, entry_policy: policy } }),
};

function withHost(state, lostAt, endsAt) {
  const room = { ...state.room, host_ends_at: endsAt, host_lost_at: lostAt };
  return withSeat({ ...state, room }, state.room.host, { connected: !endsAt });
}

function withPause(state, pausedAt) {
  return { ...state, room: { ...state.room, recording_paused_at: pausedAt } };
}

const lossy = {
  count: (state, { listening }) => ({ ...state, listening }),
  beat: (state, { listening }) => ({ ...state, listening }),
  talking: (state, { user, talking }) => withTalking(state, user, talking && mySeat(state, user) !== undefined),
  connected: (state, { user, connected }) => withSeat(state, user, { connected }),
};

function mySeat(state, user) {
  return state.seats.find((seat) => seat.user === user);
}

/**
 * The next state, and whether something was missed (`gap`): then the caller asks for a snapshot. An event that is
 * known already, or of a kind that is not known here, changes nothing but `seq`.
 */
export function apply(state, message) {
  if (message.type === "snapshot") return { state: fromSnapshot(message, state), gap: false };
  if (message.seq !== undefined && message.type !== "beat") {
    if (message.seq <= state.seq) return { state, gap: false };
    if (message.seq > state.seq + 1) return { state, gap: true };
    const change = sequenced[message.type];
    const next = change ? change(state, message.data, message.at) : state;
    return { state: { ...next, seq: message.seq }, gap: false };
  }
  const change = lossy[message.type];
  return { state: change ? change(state, message) : state, gap: message.type === "beat" && message.seq > state.seq };
}

/** The reader's own seat, if they sit at the table. */
export function ownSeat(state) {
  return state.you.user === null ? undefined : mySeat(state, state.you.user);
}

export function freePlaces(state) {
  return state.room.max_speakers - state.seats.filter((seat) => seat.role === "speaker").length;
}

export function isOver(state) {
  return state.room.status !== "live";
}

/**
 * Every chair as {at, place, seat}: host, co-hosts, speakers by place, then the free ones. `at` counts clockwise from
 * the head of the table; co-hosts sit on both sides of the host. (pages/seating.py draws the same for the first paint.)
 */
export function chairs(state) {
  const byPlace = new Map(state.seats.map((seat) => [seat.place, seat]));
  const cohosts = [11, 12].filter((place) => byPlace.has(place));
  const count = 1 + cohosts.length + state.room.max_speakers;
  const all = [{ at: 0, place: 0 }];
  cohosts.forEach((place, n) => all.push({ at: n === 0 ? 1 : count - 1, place }));
  const first = cohosts.length > 0 ? 1 : 0;
  for (let place = 1; place <= state.room.max_speakers; place += 1) all.push({ at: first + place, place });
  const seated = all.map((chair) => ({ ...chair, seat: byPlace.get(chair.place) ?? null }));
  return { count, chairs: [...seated.filter((one) => one.seat), ...seated.filter((one) => !one.seat)] };
}
