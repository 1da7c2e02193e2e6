// Links to a second, or to a part that one marks while listening: its start, then its end.
import { write } from "replay/fragment";
import { find, hit } from "shared/dom";
import { announce } from "shared/notice";
import { clock } from "shared/time";
import { say } from "shared/words";

/** @import { Player } from "replay/player" */

export class Links {
  #player;
  #label;
  #start = 0;

  /**
   * @param {HTMLElement} menu
   * @param {Player} player
   */
  constructor(menu, player) {
    this.#player = player;
    this.#label = find("[data-part]", HTMLElement, menu);
    menu.addEventListener("click", (event) => {
      const copy = hit(event, "[data-copy]")?.dataset.copy;
      if (copy === "moment") this.#copy(write(player.now));
      if (copy === "from") this.from();
      if (copy === "to") this.to();
    });
  }

  from() {
    this.#start = this.#player.now;
    this.#tell(`${clock(this.#start)} –`);
  }

  to() {
    const { now } = this.#player;
    const from = Math.min(this.#start, now);
    const to = Math.max(this.#start, now);
    if (to - from < 0.1) return this.#copy(write(now));
    this.#player.choose({ from, to });
    return this.#copy(write(from, to));
  }

  /** @param {string} hash */
  async #copy(hash) {
    history.replaceState(null, "", hash);
    let text = say("copied");
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      text = say("copy_failed");
    }
    this.#tell(text);
  }

  /** @param {string} text */
  #tell(text) {
    this.#label.textContent = text;
    announce(text);
  }
}
