// The host panel's frame: beside the table, or where there is no place for it a sheet over the page that a button of the
// bar opens. The bar stays in reach under it, so the sheet is no dialog; what it covers cannot be reached meanwhile.
import { register } from "room/core/keys";
import { isOver } from "room/core/state";
import { wide } from "room/core/wide";
import { find, findAll } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Local, Mounted, State } from "room/types" */

const COVERED = ".room-main, .room-side, .top, .foot";

/** @implements {Mounted} */
class Panel {
  #room;
  #panel = find("[data-panel]");
  #title = find("#panel-title");
  #button = find('[data-do="panel"]', HTMLButtonElement);
  #wide = wide();
  #isOpen = false;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    find("[data-panel-close]", HTMLElement, this.#panel).addEventListener("click", () => this.#close());
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#isOpen && !event.defaultPrevented) this.#close();
    });
    this.#wide.addEventListener("change", () => {
      this.#show(false);
      room.draw();
    });
    room.addEventListener("panel", (event) => this.#goTo(/** @type {CustomEvent<HTMLElement>} */ (event).detail));
    const when = () => room.manages;
    const goTo = (/** @type {string} */ selector) => () => this.#goTo(find(selector));
    register(
      { key: "p", label: say("key_panel"), run: () => this.#toggle(), when },
      { key: "/", label: say("key_search"), run: goTo("#audience-q"), when },
      { key: "i", label: say("key_entry"), run: goTo("#entry-policy"), when },
      { key: "v", label: say("key_speak"), run: goTo("#speak-policy"), when },
    );
  }

  actions = { panel: () => this.#toggle() };

  /**
   * @param {State} state
   * @param {Local} local
   */
  controls(state, { out }) {
    return !out && !isOver(state) && state.you.may.manage && !this.#wide.matches ? ["panel"] : [];
  }

  draw() {
    const isShown = this.#room.manages;
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.hidden = !isShown;
    if (isShown) return;
    this.#show(false);
    if (hadFocus) find("#main").focus({ preventScroll: true });
  }

  #toggle() {
    const hasFocus = this.#panel.contains(document.activeElement);
    if (this.#isOpen || (this.#wide.matches && hasFocus)) this.#close();
    else this.#goTo(this.#title);
  }

  /**
   * Show a part of the panel, and give it the focus.
   * @param {HTMLElement} part
   */
  #goTo(part) {
    this.#show(!this.#wide.matches);
    part.scrollIntoView({ block: "nearest" });
    part.focus({ preventScroll: true });
  }

  #close() {
    this.#show(false);
    if (this.#button.hidden) find("#main").focus({ preventScroll: true });
    else this.#button.focus();
  }

  /** @param {boolean} isOpen */
  #show(isOpen) {
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    this.#panel.classList.toggle("open", isOpen);
    this.#button.setAttribute("aria-expanded", `${isOpen}`);
    for (const part of findAll(COVERED)) part.inert = isOpen;
  }
}

/** @satisfies {import("room/types").Feature} */
export const panel = {
  mount: (room) => new Panel(room),
};
