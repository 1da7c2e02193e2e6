// Links to a room that one hands on oneself: a personal one for somebody without an account, and the room's address by
// which it is counted who came by whose invitation.
import { api } from "shared/api";
import { find } from "shared/dom";
import { copy, handOn, hasShareSheet } from "shared/sharing";
import { say } from "shared/words";

export class Links {
  #slug;
  #title;
  #personal;
  #share;
  #label;
  #wrong;
  #made;
  /** @type {Promise<string> | null} */
  #ready = null;

  /**
   * @param {HTMLElement} root
   * @param {string} slug of the room
   */
  constructor(root, slug) {
    this.#slug = slug;
    this.#title = root.dataset.title ?? "";
    this.#personal = find("[data-link]", HTMLElement, root);
    this.#share = find("[data-share]", HTMLElement, root);
    this.#label = find("[name=label]", HTMLInputElement, this.#personal);
    this.#wrong = find("[data-link-wrong]", HTMLElement, this.#personal);
    this.#made = find("[data-link-made]", HTMLElement, this.#personal);
    this.#onSubmit(this.#personal, "[data-link-form]", () => this.#make());
    this.#onSubmit(this.#share, "[data-share-form]", () => this.#handOnShare());
    const buttons = /** @type {const} */ ([
      ["copy", copy],
      ["share", (/** @type {string} */ url) => handOn(this.#title, url)],
    ]);
    for (const [name, act] of buttons) {
      const button = find(`[data-link-${name}]`, HTMLElement, this.#personal);
      button.hidden = name === "share" && !hasShareSheet();
      button.addEventListener("click", async () => this.#say(this.#personal, await act(this.#url)));
    }
  }

  get #url() {
    return find("[data-link-url]", HTMLElement, this.#personal).textContent ?? "";
  }

  /** A personal link is shown once. */
  forget() {
    this.#made.hidden = true;
    this.#wrong.textContent = "";
    this.#label.value = "";
    find("[data-link-url]", HTMLElement, this.#personal).textContent = "";
  }

  /** Have the room's address ready before it is asked for: a browser shares only what is at hand in the click itself. */
  prepareShare() {
    this.#ready ??= this.#fetchShare();
    return this.#ready;
  }

  /** @returns {Promise<string>} the reader's own address of the room; "" where there is none now */
  async #fetchShare() {
    try {
      const { url } = await api("POST", `rooms/${this.#slug}/share-link/`);
      find("[data-share-url]", HTMLElement, this.#share).textContent = url;
      return url;
    } catch (refused) {
      console.info("share link", refused.code);
      this.#ready = null; // the next time it is tried again
      return "";
    }
  }

  /**
   * @param {HTMLElement} part
   * @param {string} form
   * @param {() => void} act
   */
  #onSubmit(part, form, act) {
    find(form, HTMLFormElement, part).addEventListener("submit", (event) => {
      event.preventDefault();
      act();
    });
  }

  async #make() {
    const label = this.#label.value.trim();
    this.#wrong.textContent = label ? "" : say("link_label");
    this.#label.setAttribute("aria-invalid", String(!label));
    if (!label) return this.#label.focus();
    try {
      const { url } = await api("POST", `rooms/${this.#slug}/personal-links/`, { label });
      find("[data-link-url]", HTMLElement, this.#personal).textContent = url;
      find("[data-link-said]", HTMLElement, this.#personal).textContent = say("link_made", { name: label });
      this.#label.value = "";
      this.#made.hidden = false;
      this.#made.focus();
    } catch (refused) {
      this.#wrong.textContent = refused.code ? refused.message : say("link_failed_to_make");
    }
  }

  async #handOnShare() {
    const url = find("[data-share-url]", HTMLElement, this.#share).textContent || (await this.prepareShare());
    find("[data-share-made]", HTMLElement, this.#share).hidden = false;
    if (url) this.#say(this.#share, await handOn(this.#title, url));
    else find("[data-share-said]", HTMLElement, this.#share).textContent = say("share_failed");
  }

  /**
   * @param {HTMLElement} part
   * @param {string} done what came of it (shared/sharing)
   */
  #say(part, done) {
    const line = find("[role=status]", HTMLElement, part);
    if (done === "copied") line.textContent = say("link_copied");
    if (done === "failed") line.textContent = say("link_failed");
  }
}
