// The one bar: which controls make sense now. What they do stands in the features.
import { freePlaces, isOver, ownSeat } from "room/core/state";
import { find, findAll, hit } from "shared/dom";
import { setIcon } from "shared/icons";
import { known, say } from "shared/words";

/** @import { Controls, Local, Mounted, State } from "room/types" */

/**
 * The controls for sound and for the way to the stage, the hint in place of a main one, and whether one may sit down.
 * @param {State} state
 * @param {Local} local
 * @returns {Controls}
 */
export function controls(state, { sound, stage, shut, elsewhere, lost, out }) {
  if (out === "not_signed_in" || out === "signed_out") return { shown: ["sign_in"], hint: null, maySit: false };
  if (out === "not_allowed") return { shown: ["door"], hint: null, maySit: false };
  if (out || isOver(state)) return { shown: [], hint: null, maySit: false };
  const seat = ownSeat(state);
  const speaks = seat && stage === "on" && !seat.muted && !shut;
  if (lost) return { shown: speaks ? ["mute"] : [], hint: say("no_line"), maySit: false };
  const { may } = state.you;
  if (seat) {
    const extra = seat.role === "host" ? [] : ["leave_seat"];
    if (elsewhere && !seat.held) return { shown: ["speak_here", "sound", ...extra], hint: null, maySit: false };
    const own = speaks ? "mute" : "unmute";
    return {
      shown: [seat.held ? "held" : own, ...(stage === "off" ? ["sound"] : []), ...extra],
      hint: null,
      maySit: false,
    };
  }
  const free = freePlaces(state) > 0 || state.you.user === state.room.host;
  const maySit = may.take_seat && free;
  if (sound === "off" || sound === "blocked") return { shown: ["listen"], hint: null, maySit };
  if (maySit) return { shown: ["take_seat", "sound"], hint: null, maySit };
  if (may.why_not === "not_signed_in") return { shown: ["sign_in", "sound"], hint: null, maySit };
  const reason = may.take_seat ? "stage_full" : may.why_not;
  return { shown: ["sound"], hint: reason !== null && known(reason) ? say(reason) : null, maySit };
}

/** @satisfies {import("room/types").Feature} */
export const bar = {
  /** @returns {Mounted} */
  mount(room) {
    const element = find("[data-bar]");
    const line = find("[data-hint]", HTMLElement, element);
    const sound = find('[data-do="sound"]', HTMLElement, element);
    element.addEventListener("click", (event) => {
      const pressed = hit(event, "button[data-do]")?.dataset.do;
      if (pressed) room.act(pressed);
    });
    return {
      draw(_state, { shown, hint }) {
        const { activeElement } = document;
        for (const control of findAll("[data-do]", element)) {
          control.hidden = !shown.includes(control.dataset.do ?? "");
          if (control instanceof HTMLButtonElement) control.disabled = false;
        }
        line.hidden = !hint;
        line.textContent = hint ?? "";
        const on = room.audience.isOn;
        sound.setAttribute("aria-pressed", String(on));
        setIcon(sound, on ? "sound" : "sound-off");
        // The control that was pressed gave way to another: keyboard users stay where they were.
        const gone = activeElement instanceof HTMLElement && element.contains(activeElement) && activeElement.hidden;
        if (gone) findAll("[data-do]:not([hidden])", element)[0]?.focus();
      },
    };
  },
};
