// The queue of hands, for host and co-hosts: who waits how long, let up, decline, lock; a count, and a sound if wanted.
import { Queue } from "room/core/hand_queue";
import { register } from "room/core/keys";
import { tell } from "room/core/notices";
import { drawList } from "room/core/rows";
import { freePlaces, isAnew, isOver } from "room/core/state";
import { wide } from "room/core/wide";
import { audioContext } from "room/sound/level";
import { drawAvatar } from "shared/avatar";
import { find, hit, write } from "shared/dom";
import { keepChoice, keptChoice } from "shared/kept";
import { clock } from "shared/time";
import { number, say, sayMany } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Local, Mounted, State } from "room/types" */
/** @import { HandRaised, Hands } from "room/wire" */

const SOUND = "stamtafel.hands.sound"; // the choice of a sound with each new hand
const TICK = 5000; // ms between two drawings of waiting times
const BUNDLED = 2000; // ms within which new hands are read out in one sentence

/** Two short, soft tones. */
function chime() {
  const context = audioContext();
  const gain = context.createGain();
  gain.connect(context.destination);
  gain.gain.setValueAtTime(0.08, context.currentTime);
  gain.gain.linearRampToValueAtTime(0, context.currentTime + 0.4);
  for (const [hertz, after] of [
    [660, 0],
    [880, 0.15],
  ]) {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(gain);
    tone.start(context.currentTime + after);
    tone.stop(context.currentTime + after + 0.2);
  }
}

/** @implements {Mounted} */
class HandsPanel {
  #room;
  #queue = new Queue();
  #panel = find("[data-hands]");
  #list = find("[data-hands-list]", HTMLElement, this.#panel);
  #sound = find("[data-hands-sound]", HTMLInputElement, this.#panel);
  /** @type {string[]} names of people whose hands were not read out yet */
  #unsaid = [];

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#reset(room.state);
    this.#sound.checked = keptChoice(SOUND, false);
    this.#sound.addEventListener("change", () => {
      keepChoice(SOUND, this.#sound.checked);
      if (this.#sound.checked) chime();
    });
    this.#panel.addEventListener("click", (event) => this.#clicked(event));
    const when = () => room.manages;
    register(
      { key: "n", label: say("key_next"), run: () => this.#next(), when: () => when() && this.#queue.count > 0 },
      { key: "l", label: say("key_lock"), run: () => this.#lock(), when },
    );
    setInterval(() => this.#queue.count > 0 && room.draw(), TICK);
  }

  actions = {
    hands: () => this.#room.dispatchEvent(new CustomEvent("panel", { detail: this.#panel })),
  };

  /** @type {Mounted["messages"]} */
  messages = {
    hand_raised: ({ data }) => {
      if (this.#queue.raise(data)) this.#announce(data.name);
      this.#room.draw();
    },
    hand_lowered: ({ data }) => {
      this.#queue.lower(data);
      if (this.#queue.isShort) this.#resync();
      this.#room.draw();
    },
  };

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
    // Now host or co-host: the queue is in the next snapshot.
    else if (state.you.may.manage && !before.you.may.manage) this.#resync();
  }

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { out }) {
    if (out || isOver(state) || !state.you.may.manage) return [];
    return wide().matches && this.#queue.count > 0 ? ["hands"] : [];
  }

  /**
   * The focus stays in the panel when the button that has it goes, or makes no sense any more.
   * @param {State} state
   */
  draw(state) {
    const { activeElement: focused } = document;
    const hadFocus = this.#panel.contains(focused);
    this.#panel.hidden = !state.you.may.manage || isOver(state);
    if (!this.#panel.hidden) this.#drawQueue(state);
    if (!hadFocus) return;
    if (this.#panel.hidden) find("#main").focus({ preventScroll: true });
    else if (!focused?.isConnected || focused.matches(":disabled")) this.#panel.focus({ preventScroll: true });
  }

  /** @param {State} state */
  #drawQueue(state) {
    const { first, count } = this.#queue;
    const shown = first ?? [];
    write(find("[data-hands-count]", HTMLElement, this.#panel), number(count));
    write(find("[data-hands-badge]"), sayMany("hands", count));
    write(find("[data-panel-hands]"), count > 0 ? sayMany("hands", count) : "");
    write(find("[data-panel-badge]"), number(count));
    find("[data-panel-badge]").hidden = count < 1;
    find("[data-hands-none]", HTMLElement, this.#panel).hidden = count > 0;
    const more = find("[data-hands-more]", HTMLElement, this.#panel);
    more.hidden = count <= shown.length;
    write(more, sayMany("hands_more", count - shown.length));
    const isFull = freePlaces(state) < 1;
    find('[data-hands-do="next"]', HTMLButtonElement, this.#panel).disabled = count < 1 || isFull;
    find('[data-hands-do="lock"]', HTMLElement, this.#panel).setAttribute("aria-pressed", `${state.room.hands_locked}`);
    this.#drawList(shown, isFull);
  }

  /**
   * A snapshot may have hands in another order than messages arrived in.
   * @param {HandRaised[]} shown
   * @param {boolean} isFull
   */
  #drawList(shown, isFull) {
    const name = (/** @type {HandRaised} */ hand) => [hand.user, hand.raised_at, hand.name, hand.picture].join(" ");
    drawList(this.#list, "[data-hand-item]", shown, name, this.#panel, (item, hand) => {
      if (item.dataset.user !== hand.user) this.#introduce(item, hand);
      const seconds = (Date.now() - Date.parse(hand.raised_at)) / 1000;
      find("[data-hand-invited]", HTMLElement, item).hidden = !hand.invited;
      write(find("[data-hand-waits]", HTMLElement, item), say("hand_waits", { time: clock(seconds) }));
      find('[data-hand-do="let_up"]', HTMLButtonElement, item).disabled = isFull;
    });
  }

  /**
   * @param {HTMLElement} item
   * @param {HandRaised} hand
   */
  #introduce(item, hand) {
    item.dataset.user = hand.user;
    drawAvatar(find(".avatar", HTMLElement, item), hand);
    find("[data-hand-name]", HTMLElement, item).textContent = hand.name;
    for (const verb of /** @type {const} */ (["let_up", "decline_hand"])) {
      const button = find(`[data-hand-do="${verb}"]`, HTMLElement, item);
      button.setAttribute("aria-label", say(`${verb}_name`, { name: hand.name }));
    }
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const what = hit(event, "[data-hands-do]")?.dataset.handsDo;
    if (what === "next") this.#next();
    if (what === "lock") this.#lock();
    const verb = hit(event, "[data-hand-do]")?.dataset.handDo;
    const user = hit(event, "[data-user]")?.dataset.user;
    if (!user || (verb !== "let_up" && verb !== "decline_hand")) return;
    this.#room.attempt(() => this.#room.ask(verb, { user }));
  }

  /** Who sits down is read out by itself (features/coming_and_going). */
  #next() {
    this.#room.attempt(() => this.#room.ask("let_up"));
  }

  #lock() {
    const locked = !this.#room.state.room.hands_locked;
    this.#room.attempt(async () => {
      await this.#room.ask("lock_hands", { locked });
      tell(say(locked ? "hands_locked_now" : "hands_open_now"));
    });
  }

  /** @param {string} name of who raised a hand */
  #announce(name) {
    if (this.#sound.checked) chime();
    this.#unsaid.push(name);
    if (this.#unsaid.length > 1) return;
    setTimeout(() => {
      const names = this.#unsaid.splice(0);
      tell(names.length > 1 ? sayMany("hands_raised", names.length) : say("hand_raised", { name: names[0] }));
    }, BUNDLED);
  }

  #resync() {
    this.#room.attempt(() => this.#room.ask("snapshot"));
  }

  /** @param {State} state */
  #reset(state) {
    const part = /** @type {Hands | undefined} */ (state.you.parts.hands);
    this.#queue.reset(part ?? { queue: null, count: null, own: null });
  }
}

/** @satisfies {import("room/types").Feature} */
export const hostHands = {
  mount: (room) => new HandsPanel(room),
};
