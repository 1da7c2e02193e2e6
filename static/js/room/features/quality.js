// How good connections are: one's own in words, and for host and co-hosts a mark at the seat of who has a weak one.
import { CardPart } from "room/core/card";
import { clear, stand } from "room/core/notices";
import { isOver, withQuality } from "room/core/state";
import { levelOf, sampleOf, settled } from "room/sound/quality";
import { find } from "shared/dom";
import { setIcon } from "shared/icons";
import { say } from "shared/words";

/** @import { SeatState } from "room/wire" */
/** @import { Room } from "room/core/room" */
/** @import { Level, Mounted, State } from "room/types" */

const EVERY = 5000; // ms that one measurement takes
const AGAIN = 20_000; // ms after which a level that is not good is told again
const KEPT = 50_000; // ms after which a mark goes that is not told again

/** @implements {Mounted} */
class Quality {
  #room;
  /** @type {import("room/sound/quality").Sample | null} */
  #before = null;
  /** @type {Level} the last measurement */
  #last = "good";
  /** @type {Level} what the person was told */
  #said = "good";
  /** @type {Level} what the host's side was told */
  #told = "good";
  #toldAt = 0;
  #line = find("[data-person-quality]");
  #card;
  /** @type {Map<string, number>} timers by handle: until when a mark counts */
  #until = new Map();

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#card = new CardPart(room, (seat, state) => this.#show(seat, state));
    setInterval(() => this.#measure(), EVERY);
  }

  /** @type {Mounted["messages"]} */
  messages = {
    quality: ({ room, data: { user, level } }) => {
      clearTimeout(this.#until.get(user));
      this.#until.delete(user);
      const forget = () => this.#room.dispatch({ type: "quality", room, data: { user, level: "good" } });
      if (level !== "good") this.#until.set(user, setTimeout(forget, KEPT));
    },
  };

  /** @param {State} state */
  draw(state) {
    this.#card.draw(state);
  }

  /**
   * @param {SeatState | undefined} seat
   * @param {State} state
   */
  #show(seat, state) {
    const level = state.you.may.manage && seat ? state.quality.get(seat.user) : undefined;
    this.#line.hidden = !level;
    if (!level) return;
    find("span", HTMLElement, this.#line).textContent = say(`quality_theirs_${level}`);
    setIcon(this.#line, `net-${level}`);
  }

  async #measure() {
    const report = isOver(this.#room.state) ? null : await this.#room.stage.stats();
    if (!report) return this.#startAnew();
    const now = sampleOf(/** @type {Map<string, any>} */ (/** @type {unknown} */ (report)).values());
    const level = this.#before && levelOf(this.#before, now);
    this.#before = now;
    if (!level) return;
    this.#said = settled(this.#said, this.#last, level);
    this.#last = level;
    this.#say();
    if (this.#said !== this.#told || (this.#said !== "good" && Date.now() - this.#toldAt > AGAIN)) this.#tell();
  }

  #say() {
    if (this.#said === "good") clear("quality");
    else stand("quality", say(`quality_${this.#said}`));
  }

  /** Not on stage, or connecting anew, which the page says by itself. */
  #startAnew() {
    this.#before = null;
    this.#last = this.#said = "good";
    if (this.#room.stage.state === "off") this.#told = "good";
    this.#say();
  }

  async #tell() {
    const level = this.#said;
    [this.#told, this.#toldAt] = [level, Date.now()];
    await this.#room.ask("quality", { level }).catch((refused) => console.info("quality", refused.code));
  }
}

/** @satisfies {import("room/types").Feature} */
export const quality = {
  unsequenced: {
    quality: (state, { data: { user, level } }) => withQuality(state, user, level),
  },
  mount: (room) => new Quality(room),
};
