// The chairs around the table, one element a person: who stays seated keeps the element, with its ring and focus.
// Their markup is templates/pages/seat.html, which the page has twice as a template: a seat and a free chair.
import { isolated, labels } from "names";
import { chairs } from "room/core/chairs";
import { notice } from "room/core/notices";
import { freePlaces, isOver, microphoneWord, withRights, withRoom, withSeat } from "room/core/state";
import { everyFrame } from "room/sound/level";
import { drawAvatar } from "shared/avatar";
import { clone, find, findAll, hit, write } from "shared/dom";
import { setIcon } from "shared/icons";
import { say, sayMany } from "shared/words";

/** @import { SeatState } from "room/wire" */
/** @import { Room } from "room/core/room" */
/** @import { Controls, Mounted, Poor, State } from "room/types" */

const TALKING_KEPT = 13_000; // ms after which talking ends that is not said again (the media supervisor repeats it)

/**
 * @param {State} state
 * @param {string} user
 * @param {boolean} talking
 * @returns {State}
 */
function withTalking(state, user, talking) {
  if (state.talking.has(user) === talking) return state;
  const next = new Set(state.talking);
  if (talking) next.add(user);
  else next.delete(user);
  return { ...state, talking: next };
}

/**
 * @param {State} state
 * @param {SeatState[]} all
 * @returns {State}
 */
function withSeats(state, all) {
  return withRights({ ...state, seats: all.toSorted((a, b) => a.place - b.place) });
}

/**
 * What a screen reader says of a seat.
 * @param {SeatState} seat
 * @param {string} label the name, told apart from others like it
 * @param {boolean} talking
 * @param {Poor | undefined} quality of the connection, where it is known and not good
 */
function sentence(seat, label, talking, quality) {
  const role = seat.role === "speaker" ? [] : [say(seat.role)];
  const sounds = talking && !seat.muted ? "talking" : microphoneWord(seat);
  const now = seat.connected ? sounds : "away";
  const captions = seat.captions_off ? [say("captions_off")] : [];
  return [isolated(label), ...role, say(now), ...captions, ...(quality ? [say(`quality_seat_${quality}`)] : [])].join(
    ", ",
  );
}

/** @param {SeatState} seat */
function badge(seat) {
  if (!seat.connected) return "lost";
  if (seat.held) return "lock";
  return seat.muted ? "mic-off" : "mic";
}

/**
 * @param {HTMLElement} item
 * @param {SeatState} seat
 * @param {{ label: string, talking: boolean, isYou: boolean, quality: Poor | undefined }} seen
 */
function drawSeat(item, seat, { label, talking, isYou, quality }) {
  const part = (/** @type {string} */ name) => find(name, HTMLElement, item);
  item.dataset.user = seat.user;
  item.dataset.role = seat.role;
  item.classList.toggle("open", !seat.muted);
  item.classList.toggle("away", !seat.connected);
  item.classList.toggle("you", isYou);
  item.classList.toggle("talking", talking);
  drawAvatar(part(".avatar"), seat);
  part(".unseen").textContent = sentence(seat, label, talking, quality);
  setIcon(part(".seat-mic"), badge(seat));
  part(".seat-net").hidden = !quality;
  setIcon(part(".seat-net"), quality === "bad" ? "net-bad" : "net-weak");
  part(".seat-name").textContent = isYou ? say("you") : seat.name.split(/\s+/)[0];
  part(".seat-captions").hidden = !seat.captions_off;
  part(".seat-role").hidden = seat.role === "speaker";
  part(".seat-role").textContent = seat.role === "speaker" ? "" : say(seat.role);
}

/** Signing in leads back to the room: the bar has the way, also where it is not shown now. */
function signIn() {
  find('[data-do="sign_in"]', HTMLAnchorElement).click();
}

/** @implements {Mounted} */
class Seats {
  #list = find("[data-seats]");
  #room;
  /** @type {Map<string, number>} until when talking counts, by handle: timers */
  #talkingUntil = new Map();

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    everyFrame(() => {
      if (room.state.talking.size > 0 && !calm.matches) this.#ring();
    });
  }

  actions = { leave_seat: () => this.#standUp() };

  /** @type {Mounted["messages"]} */
  messages = {
    you_unseated: () => notice(say("unseated_you")),
    talking: ({ user, talking }) => this.#expectAgain(user, talking),
  };

  async #standUp() {
    if (await this.#room.attempt(() => this.#room.ask("leave_seat"))) notice(say("stood_up"));
  }

  /**
   * @param {string} user
   * @param {boolean} talking
   */
  #expectAgain(user, talking) {
    clearTimeout(this.#talkingUntil.get(user));
    this.#talkingUntil.delete(user);
    const forget = () => this.#room.dispatch({ type: "silent", users: [user] });
    if (talking) this.#talkingUntil.set(user, setTimeout(forget, TALKING_KEPT));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const item = hit(event, ".seat");
    if (!item) return;
    const { maySit, shown } = this.#room.controls;
    if (item.classList.contains("free")) {
      if (maySit) this.#room.act("take_seat");
      else if (shown.includes("sign_in") || this.#room.state.you.may.why_not === "not_signed_in") signIn();
    } else if (hit(event, ".seat-who")) {
      this.#room.dispatchEvent(new CustomEvent("person", { detail: item.dataset.user }));
    }
  }

  /**
   * @param {State} state
   * @param {Controls} controls
   */
  draw(state, { maySit }) {
    const mayAsk = state.you.may.why_not === "not_signed_in" && freePlaces(state) > 0 && !this.#room.lost;
    find("[data-table]").classList.toggle("may-sit", maySit || mayAsk);
    write(find("[data-free]"), sayMany("free", freePlaces(state)));
    if (isOver(state)) return;
    const called = labels(state.seats);
    const labelOf = (/** @type {SeatState} */ seat) => called.get(seat.user) ?? seat.name;
    this.#drawChairs(state, labelOf);
    write(
      find("[data-who-talks]"),
      this.#whoTalks(state.seats.filter((one) => state.talking.has(one.user)).map(labelOf)),
    );
  }

  /** @param {string[]} names */
  #whoTalks(names) {
    if (names.length === 2) return say("talks_two", { name: names[0], other: names[1] });
    if (names.length > 2) return say("talks_more", { name: names[0] });
    return names[0] ?? "";
  }

  /**
   * @param {State} state
   * @param {(seat: SeatState) => string} labelOf
   */
  #drawChairs(state, labelOf) {
    const { count, chairs: all } = chairs(state.seats, state.room.max_speakers);
    this.#list.dataset.chairs = String(count);
    const seated = new Map(findAll("[data-user]", this.#list).map((item) => [item.dataset.user, item]));
    const free = findAll(".free", this.#list);
    const items = all.map(({ at, seat }) => {
      const item = seat ? (seated.get(seat.user) ?? clone("[data-seat]")) : (free.pop() ?? clone("[data-chair]"));
      item.dataset.at = String(at);
      const isYou = seat?.user === state.you.user;
      if (seat) {
        const quality = state.you.may.manage ? state.quality.get(seat.user) : undefined;
        drawSeat(item, seat, { label: labelOf(seat), talking: state.talking.has(seat.user), isYou, quality });
      }
      return item;
    });
    this.#arrange(items);
  }

  /**
   * Only what is in the wrong place moves: moving an element takes its focus. A seat that had it gets it back, for one
   * that is gone the first seat.
   * @param {HTMLElement[]} items
   */
  #arrange(items) {
    const focused = document.activeElement;
    const hadFocus = focused instanceof HTMLElement && this.#list.contains(focused);
    const wanted = new Set(items);
    for (const old of findAll(":scope > *", this.#list)) if (!wanted.has(old)) old.remove();
    items.forEach((item, n) => {
      if (this.#list.children[n] !== item) this.#list.insertBefore(item, this.#list.children[n] ?? null);
    });
    if (!hadFocus || document.activeElement === focused) return;
    const next = focused.isConnected ? focused : findAll(".seat-who", this.#list)[0];
    next?.focus({ preventScroll: true });
  }

  /** The rings follow what is heard: oneself by one's microphone, the others by their mix. */
  #ring() {
    const { state, stage, audience } = this.#room;
    const mix = (stage.state === "on" ? stage.level : audience.level)?.read() ?? null;
    const own = stage.ownLevel?.read() ?? null;
    for (const item of findAll(".talking", this.#list)) {
      const level = item.dataset.user === state.you.user ? own : mix;
      if (level === null) item.style.removeProperty("--level");
      else item.style.setProperty("--level", level.toFixed(2));
    }
  }
}

/** @satisfies {import("room/types").Feature} */
export const seats = {
  reduce: {
    seat_taken: (state, { seat }) => withSeats(state, [...state.seats.filter((one) => one.user !== seat.user), seat]),
    seat_left: (state, { user }) =>
      withSeats(
        state,
        state.seats.filter((seat) => seat.user !== user),
      ),
    seat_muted: (state, { user, muted, held }) => withSeat(state, user, { muted, held }),
    seats_changed: (state, { seats: all, host_name }) => withSeats(withRoom(state, { host_name }), all),
  },
  unsequenced: {
    talking: (state, { user, talking }) => withTalking(state, user, talking),
    silent: (state, { users }) => users.reduce((next, user) => withTalking(next, user, false), state),
    connected: (state, { user, connected }) => withSeat(state, user, { connected }),
  },
  mount: (room) => new Seats(room),
};
