// One's own microphone: the check and the way to the stage, mute and unmute.
import { labels } from "names";
import { clear, notice, stand } from "room/core/notices";
import { OnePage } from "room/core/one_page";
import { Refused } from "room/core/socket";
import { freePlaces, isOver, isUndecided, ownSeat } from "room/core/state";
import { Check, microphoneTrouble } from "room/sound/check";
import { everyFrame, firstTouch, soundMayStart } from "room/sound/level";
import { openMicrophone, release } from "room/sound/stage";
import { find } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Word } from "shared/word" */

const SETTLED = 500; // ms within which what belongs together has arrived

async function microphoneAllowed() {
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state === "granted";
  } catch (error) {
    console.info("permissions", error.name); // Firefox does not tell
    return false;
  }
}

/** @implements {Mounted} */
class Microphone {
  #room;
  #stage;
  #audience;
  #check;
  /** @type {string | null} the handle of who let this person up, until their seat is known here */
  #letUpBy = null;
  /** @type {Promise<boolean> | null} whether the connection that is being made stands, from the first step on */
  #connecting = null;
  #page;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#stage = room.stage;
    this.#audience = room.audience;
    this.#check = new Check(room.ask);
    this.#page = new OnePage(room, (tries) => this.begin(tries));
    room.socket.addEventListener("open", () => queueMicrotask(() => this.#room.shut && this.#mute()));
    const [button, calm] = [find('[data-do="mute"]'), matchMedia("(prefers-reduced-motion: reduce)")];
    everyFrame(() => {
      if (button.hidden || calm.matches) return;
      button.style.setProperty("--level", (room.stage.ownLevel?.read() ?? 0).toFixed(2));
    });
    room.stage.addEventListener("mic_lost", () => this.#lost());
    room.stage.addEventListener("elsewhere", () => this.#page.elsewhere());
    addEventListener("pagehide", () => {
      if (room.stage.state === "off") return;
      room.socket.tell("speak_stop");
      room.stage.close();
    });
  }

  actions = {
    raise_hand: () => this.#raiseHand(),
    accept_invitation: () => this.#acceptInvitation(),
    take_seat: () => this.#takeSeat(),
    unmute: () => this.#unmute(),
    speak_here: () => this.#unmute(),
    mute: () => this.#mute(),
  };

  /** @type {Mounted["messages"]} */
  messages = {
    let_up: ({ by }) => {
      this.#letUpBy = by ?? "";
      this.#comeUp();
    },
    you_muted: ({ by, held }) => {
      const name = by && labels(this.#room.state.seats).get(by);
      if (held) notice(name ? say("held_by", { name }) : say("held_why"));
      else notice(name ? say("muted_by", { name }) : say("muted_you"));
    },
    mic_lost: ({ page }) => {
      if (page !== this.#room.socket.page) this.#page.lookLater();
      else if (this.#stage.state === "on") this.#lost(); // while it connects anew, the old connection ends as it should
    },
    mic_moved: ({ page }) => {
      if (page === "") this.#page.freed();
      else if (page !== this.#room.socket.page) this.#page.elsewhere();
    },
  };

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isOver(state)) return;
    const seat = ownSeat(state);
    if (!seat || seat.muted) this.#room.shut = false;
    if (seat && !ownSeat(before)) this.#comeUp();
    if (seat) this.#stage.setMuted(seat.muted || this.#room.shut);
    else if (ownSeat(before) || this.#stage.state !== "off") this.#stoodUp();
  }

  /**
   * A page that just opened never has an open microphone, whatever its seat says from before a reload; and it leaves
   * the one of another page alone. It asks again, so many `tries`: the other may be itself, before a reload without a
   * word.
   */
  async begin(tries = 2) {
    this.#page.begins();
    const { state } = this.#room;
    const seat = ownSeat(state);
    if (seat && !(await this.#page.isAlone())) {
      if (tries > 0) this.#page.beginLater(tries - 1);
      return;
    }
    this.#page.here();
    const touched = firstTouch();
    const may = await soundMayStart();
    if (isOver(this.#room.state)) return;
    if (seat && this.#room.state.you.consented && (await microphoneAllowed())) {
      // Back to the table: at once, or with the first click or key, if the browser wants one before there is sound.
      if (!may) await touched;
      await this.#backToTable();
    } else if (may && !isUndecided(this.#room.state) && !this.#room.elsewhere) await this.#audience.start();
  }

  /** Closed here at once, whatever the network does; a page that was offline says it again when it is back. */
  async #mute() {
    const room = this.#room;
    room.shut = true;
    this.#stage.setMuted(true);
    room.draw();
    if (!room.lost) await room.attempt(() => room.ask("mute"));
  }

  // --- the stage ------------------------------------------------------------------------------------------------------

  /**
   * The check, then `enter`, then the stage. Resolves to whether it came to that.
   * @param {Word} label the check's last button: the key of its words
   * @param {() => unknown} enter
   * @param {string} [why] a sentence above the check
   */
  async #toStage(label, enter, why) {
    const microphone = (await this.#checked(label, { why }))?.microphone;
    if (!microphone) return false;
    await this.#connecting;
    return this.#once(() => this.#enterStage(microphone, enter));
  }

  /**
   * @param {MediaStream} microphone
   * @param {() => unknown} enter
   */
  async #enterStage(microphone, enter) {
    const seated = await this.#room.attempt(async () => {
      await enter();
      await this.#page.claim(true);
    });
    if (!seated) {
      release(microphone);
      return false;
    }
    await this.#openStage(microphone);
    return true;
  }

  /** @param {() => unknown} [enter] */
  async #takeSeat(enter = () => this.#room.ask("take_seat")) {
    const isSeated = await this.#toStage("go_seat", enter);
    if (isSeated && !ownSeat(this.#room.state)?.held) notice(say("on_stage"));
  }

  /**
   * The check, consent included (`Check.run`).
   * @param {Word} label
   * @param {{ why?: string, isOptional?: boolean }} more
   */
  #checked(label, more) {
    const room = this.#room;
    const { consented, captions_off: captionsOff } = room.state.you;
    const agree = async (/** @type {boolean | null} */ off) => {
      if (!consented) await room.ask("consent", { version: room.page.consent });
      room.dispatch({ type: "consented" });
      if (off === null || off === room.state.you.captions_off) return;
      await room.ask("own_captions", { off }); // before the seat: nothing is written down meanwhile
      room.dispatch({ type: "own_captions", off });
    };
    return this.#check.run({ consented, captionsOff, agree, label, ...more });
  }

  /**
   * Consent, the first time; resolves to whether there is one. The microphone may be tried then, and is needed once one
   * is let up.
   */
  async #agreed() {
    if (this.#room.state.you.consented) return true;
    const checked = await this.#checked("go_hand", { isOptional: true });
    if (checked?.microphone) release(checked.microphone);
    return Boolean(checked);
  }

  async #raiseHand() {
    if (await this.#agreed()) await this.#room.attempt(() => this.#room.ask("raise_hand"));
  }

  /** Accept an invitation to speak: to a seat at once where one is free, else to a place in the queue of hands. */
  async #acceptInvitation() {
    const { ask, state } = this.#room;
    const accept = () => ask("accept_invitation");
    if (freePlaces(state) > 0) await this.#takeSeat(async () => [await accept(), await ask("take_seat")]);
    else if (await this.#agreed()) await this.#room.attempt(accept);
    await this.#room.attempt(() => ask("snapshot")); // with what the invitation allows now
  }

  /**
   * Host or co-host gave a seat, and both that and the seat are known: the microphone connects, closed, where the
   * browser allows it; else it is asked for. A page that is not looked at leaves both to another.
   */
  async #comeUp() {
    const by = this.#letUpBy;
    const { state } = this.#room;
    if (by === null || !ownSeat(state)) return;
    this.#letUpBy = null;
    if (document.visibilityState !== "visible" || document.querySelector("dialog[open]")) return;
    if (!state.you.consented || !(await microphoneAllowed())) {
      const name = labels(state.seats).get(by);
      await this.#toStage("go_connect", () => {}, name ? say("let_up_by", { name }) : say("on_stage"));
    } else await this.#connect(false);
  }

  /**
   * Go a way to a connection. Whoever asks meanwhile gets the same one: a click that brings a page back to the table may
   * be one on Unmute, and Unmute is there as soon as the seat is.
   * @param {() => Promise<boolean>} way
   */
  #once(way) {
    this.#connecting ??= way().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /**
   * Connect the microphone, closed, without a check. Resolves to whether that worked.
   * @param {boolean} take also if another page has it
   */
  #connect(take) {
    return this.#once(() => this.#connectAnew(take));
  }

  /** @param {boolean} take */
  async #connectAnew(take) {
    try {
      if (!take) await this.#page.claim(false);
      const microphone = await openMicrophone();
      if (take) await this.#page.claimFor(microphone);
      await this.#openStage(microphone);
      return true;
    } catch (error) {
      this.#cannotSpeak(error);
      return false;
    }
  }

  /** @param {MediaStream} microphone */
  async #openStage(microphone) {
    this.#audience.stop();
    await this.#stage.open(microphone);
    const seat = ownSeat(this.#room.state);
    if (seat) this.#stage.setMuted(seat.muted || this.#room.shut);
    clear("mic");
  }

  /**
   * Unmute: at once if the connection stands, or as soon as it does; by the check the first time; without it when all
   * was said before.
   */
  async #unmute() {
    const room = this.#room;
    if (this.#connecting || this.#stage.state === "opening") {
      stand("connecting", say("connecting"));
      await this.#connecting;
      const now = await this.#stage.settled();
      clear("connecting");
      if (now === "off") return; // stood up, or lost the microphone, meanwhile
    }
    if (this.#stage.state !== "on") {
      if (!(await this.#openForSpeech())) return;
    }
    room.shut = false;
    await room.attempt(() => room.ask("unmute"));
  }

  async #openForSpeech() {
    if (!this.#room.state.you.consented || !(await microphoneAllowed())) return this.#toStage("go_mic", () => {});
    return this.#connect(true);
  }

  async #backToTable() {
    if (!ownSeat(this.#room.state) || this.#stage.state !== "off" || this.#room.elsewhere) return;
    if (await this.#connect(false)) notice(say("back_muted"));
    else if (!this.#room.elsewhere) await this.#page.isAlone();
  }

  #stoodUp() {
    this.#page.here();
    clear("mic");
    if (this.#stage.state === "off") return;
    this.#stage.close();
    this.#audience.start();
  }

  #lost() {
    this.#stage.close();
    this.#room.attempt(() => this.#room.ask("speak_stop"));
    // Who is taken off the stage loses the microphone a moment before or after: that is another matter.
    setTimeout(() => {
      if (ownSeat(this.#room.state) && this.#stage.state === "off") stand("mic", say("mic_lost"));
    }, SETTLED);
    this.#audience.start();
  }

  /** @param {any} error */
  #cannotSpeak(error) {
    if (error.code === "mic_elsewhere") this.#page.elsewhere();
    else notice(error instanceof Refused ? say("failed") : microphoneTrouble(error));
  }
}

/** @satisfies {import("room/types").Feature} */
export const microphone = {
  unsequenced: {
    consented: (state) => ({ ...state, you: { ...state.you, consented: true } }),
  },
  mount: (room) => new Microphone(room),
};
