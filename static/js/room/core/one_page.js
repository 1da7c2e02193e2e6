// One page of a person has their microphone, however many are open: whether it is this one, and what it does if not.
import { clear, stand } from "room/core/notices";
import { release } from "room/sound/stage";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */

const LOST_PAGE = 12_000; // ms after which a page that lost its microphone is back, or gone (rooms/presence.py: LINGER)

export class OnePage {
  #room;
  #begin;
  #beginsAgain = 0; // the timer of a page that found another one with the microphone when it was opened

  /**
   * @param {Room} room
   * @param {(tries: number) => unknown} begin what a page does when it is opened; it asks again so many times
   */
  constructor(room, begin) {
    this.#room = room;
    this.#begin = begin;
  }

  /** This page begins now, and not once more by itself. */
  begins() {
    clearTimeout(this.#beginsAgain);
    this.#beginsAgain = 0;
  }

  /**
   * Begin again later, unless this page has the microphone by then.
   * @param {number} tries
   */
  beginLater(tries) {
    this.#beginsAgain = setTimeout(() => this.#room.elsewhere && this.#begin(tries), LOST_PAGE);
  }

  /** Another page has it. This one is told, falls silent, and takes it back only if the person says so. */
  elsewhere() {
    const room = this.#room;
    room.stage.close();
    if (!room.elsewhere) {
      room.audience.stop();
      stand("mic", say("mic_elsewhere"));
    }
    room.elsewhere = true;
    room.draw();
  }

  /** No other page has it. */
  here() {
    this.begins();
    if (!this.#room.elsewhere) return;
    this.#room.elsewhere = false;
    clear("mic");
    this.#room.draw();
  }

  /**
   * No page has it any more. One that was opened meanwhile begins anew, since the other may have been itself; not one
   * that nobody looks at, since the other may only have lost its device.
   */
  freed() {
    const begins = this.#beginsAgain !== 0 && document.visibilityState === "visible";
    this.here();
    if (begins) this.#begin(0);
  }

  /**
   * The microphone is this page's from here on.
   * @param {boolean} take also if another page has it
   */
  async claim(take) {
    await this.#room.ask("speak_claim", { take });
    this.here();
  }

  /** @param {MediaStream} microphone opened for this, and released where the claim is refused */
  async claimFor(microphone) {
    try {
      await this.claim(true);
    } catch (refused) {
      release(microphone);
      throw refused;
    }
  }

  /**
   * Whether no other page of this person has their microphone. What a page that is gone left open is closed by it. Where
   * there is no answer another one still has what it had.
   */
  async isAlone() {
    try {
      await this.#room.ask("speak_stop");
    } catch (refused) {
      if (refused.code === "mic_elsewhere") this.elsewhere();
      return refused.code !== "mic_elsewhere" && !(refused.code === "offline" && this.#room.elsewhere);
    }
    return true;
  }

  /** The other page connects again by itself, unless it was closed without a word. */
  lookLater() {
    setTimeout(async () => {
      if (this.#room.elsewhere && (await this.isAlone())) this.freed();
    }, LOST_PAGE);
  }
}
