// The one bar: which controls make sense now. What they do stands in main.js.
import { freePlaces, isOver, ownSeat } from "room/state";
import { known, say } from "room/words";

/**
 * The controls to show, the hint in place of a main action, and whether one may sit down.
 * `sound` is the audience's state (off, starting, playing, blocked), `stage` the speaker's (off, opening, on);
 * `elsewhere`: another page has the microphone;
 * `out` is the code for which the page was put out of the room, if it was.
 */
export function controls(state, { sound, stage, elsewhere, out }) {
  if (out === "not_signed_in" || out === "signed_out")
    return { shown: ["sign_in", "leave"], hint: null, maySit: false };
  if (out || isOver(state)) return { shown: ["share", "leave"], hint: null, maySit: false };
  const seat = ownSeat(state);
  const { may } = state.you;
  const tail = ["share", may.end ? "end" : "leave"];
  if (seat) {
    const extra = seat.role === "host" ? [] : ["leave_seat"];
    if (elsewhere) return { shown: ["speak_here", "sound", ...extra, ...tail], hint: null, maySit: false };
    const main = stage === "on" && !seat.muted ? "mute" : "unmute";
    return { shown: [main, ...(stage === "off" ? ["sound"] : []), ...extra, ...tail], hint: null, maySit: false };
  }
  const free = freePlaces(state) > 0 || state.you.user === state.room.host;
  const maySit = may.take_seat && free;
  if (sound === "off" || sound === "blocked") return { shown: ["listen", ...tail], hint: null, maySit };
  if (maySit) return { shown: ["take_seat", "sound", ...tail], hint: null, maySit };
  if (may.why_not === "not_signed_in") return { shown: ["sign_in", "sound", ...tail], hint: null, maySit };
  const reason = may.take_seat ? "stage_full" : may.why_not;
  return { shown: ["sound", ...tail], hint: known(reason) ? say(reason) : null, maySit };
}

export class Bar {
  #bar;
  #hint;

  /** `act` is called with the name of the control that was pressed. */
  constructor(bar, act) {
    this.#bar = bar;
    this.#hint = bar.querySelector("[data-hint]");
    bar.addEventListener("click", (event) => {
      const control = event.target.closest("button[data-do]");
      if (control) act(control.dataset.do);
    });
  }

  draw({ shown, hint }, { sound }) {
    const focused = this.#bar.contains(document.activeElement) ? document.activeElement : null;
    for (const control of this.#bar.querySelectorAll("[data-do]")) {
      control.hidden = !shown.includes(control.dataset.do);
      if (control.tagName === "BUTTON") control.disabled = false;
    }
    this.#hint.hidden = !hint;
    this.#hint.textContent = hint ?? "";
    this.#drawSound(sound !== "off" && sound !== "blocked");
    // The control that was pressed gave way to another: keyboard users stay where they were.
    if (focused?.hidden) this.#bar.querySelector("[data-do]:not([hidden])")?.focus();
  }

  #drawSound(on) {
    const control = this.#bar.querySelector('[data-do="sound"]');
    control.setAttribute("aria-pressed", String(on));
    control.title = say(on ? "sound_on" : "sound_off");
    control.querySelector("use").setAttribute("href", on ? "#i-sound" : "#i-sound-off");
  }
}
