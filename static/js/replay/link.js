// Links to a second, or to a part that one marks while listening: its start, then its end.
import { write } from "replay/fragment";
import { clock, say, tell } from "replay/words";

export class Links {
  constructor(menu, player) {
    this.menu = menu;
    this.player = player;
    this.label = menu.querySelector("[data-part]");
    menu.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copy]");
      if (button) this[button.dataset.copy]();
    });
  }

  moment() {
    return this.copy(write(this.player.now));
  }

  from() {
    this.start = this.player.now;
    this.label.textContent = `${clock(this.start)} –`;
    tell(this.label.textContent);
  }

  to() {
    const from = Math.min(this.start ?? 0, this.player.now);
    const to = Math.max(this.start ?? 0, this.player.now);
    if (to - from < 0.1) return this.moment();
    this.player.choose({ from, to });
    return this.copy(write(from, to));
  }

  async copy(hash) {
    history.replaceState(null, "", hash);
    let text = say("copied");
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      text = say("copy_failed");
    }
    this.label.textContent = text;
    tell(text);
  }
}
