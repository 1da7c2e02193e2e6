// The key M turns one's own microphone on and off, unless one types or switched it off (a key that one hits by accident,
// or says to a computer that listens, must not do it).
import { find, hit } from "shared/dom";
import { keepChoice, keptChoice } from "shared/kept";

const KEPT = "mute-key";
const CONTROLS = ["mute", "unmute", "held"];
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

/** @satisfies {import("room/types").Feature} */
export const muteKey = {
  mount(room) {
    const box = find("[data-mute-key]", HTMLInputElement);
    const panel = find("[data-keys]");
    box.checked = keptChoice(KEPT, true);
    box.addEventListener("change", () => keepChoice(KEPT, box.checked));
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "m" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!box.checked || hit(event, TYPING) || document.querySelector("dialog[open]")) return;
      const control = room.controls.shown.find((name) => CONTROLS.includes(name));
      if (control) room.act(control);
    });
    return {
      draw(_state, { shown }) {
        panel.hidden = !shown.some((name) => CONTROLS.includes(name));
      },
    };
  },
};
