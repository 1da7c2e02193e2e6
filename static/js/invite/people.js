// Choosing people to invite: found by name or handle, among followers, people one follows or those of an earlier room.
import { api } from "shared/api";
import { drawAvatar } from "shared/avatar";
import { clone, find, findAll } from "shared/dom";
import { known, say, sayMany } from "shared/words";

/**
 * A person as the API finds them; `state` is "", or what stands between them and this room.
 * @typedef {object} Found
 * @property {string} user a handle
 * @property {string} name
 * @property {string} initials
 * @property {string} picture an address or ""
 * @property {string} color
 * @property {string} state
 */

const SHORTEST = 2; // letters of a search among everybody (rooms/queries/invitable.py)
const PAUSE = 300; // ms after the last key before it is searched

export class People {
  #root;
  #slug;
  #from;
  #words;
  #list;
  #said;
  #timer = 0;
  #asked = 0;
  /** @type {Map<string, Found>} by handle, in the order in which they were chosen */
  #chosen = new Map();

  /**
   * @param {HTMLElement} root
   * @param {string} slug of the room
   */
  constructor(root, slug) {
    this.#root = root;
    this.#slug = slug;
    this.#from = find("[data-pick-from]", HTMLSelectElement, root);
    this.#words = find("[data-pick-q]", HTMLInputElement, root);
    this.#list = find("[data-pick-list]", HTMLElement, root);
    this.#said = find("[data-pick-said]", HTMLElement, root);
    find("[data-pick-search]", HTMLElement, root).hidden = true; // it is searched while one types
    this.#from.addEventListener("change", () => this.search());
    this.#words.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.search(), PAUSE);
    });
    this.#words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it searches, and sends nothing
      this.search();
    });
  }

  /** @returns {string[]} handles of the people who are chosen */
  get chosen() {
    return [...this.#chosen.keys()];
  }

  /** Choose nobody any more, and show people as they are now. */
  clear() {
    this.#chosen.clear();
    this.search();
  }

  /** Choose nobody any more, and show nobody. */
  forget() {
    clearTimeout(this.#timer);
    this.#asked += 1; // what is still on its way comes too late
    this.#chosen.clear();
    this.#words.value = "";
    this.#show([], "");
  }

  async search() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    const asked = this.#asked;
    const q = this.#words.value.trim();
    const [from, room] = this.#from.value.split(" ");
    if (!from && q.replace("@", "").length < SHORTEST) return this.#show([], say("pick_type"));
    const query = new URLSearchParams({ q, ...(from && { from }), ...(room && { room }) });
    try {
      const { people, more } = await api("GET", `rooms/${this.#slug}/invitable/?${query}`);
      if (asked !== this.#asked) return; // a later question is under way
      const found = people.length === 0 ? say("pick_none") : sayMany("pick_found", people.length);
      this.#show(people, more ? say("pick_more", { number: people.length }) : found);
    } catch (refused) {
      if (asked === this.#asked) this.#show([], refused.code ? refused.message : say("pick_failed"));
    }
  }

  /**
   * Those who are chosen come first, whatever was searched.
   * @param {Found[]} people
   * @param {string} said
   */
  #show(people, said) {
    this.#said.textContent = said;
    const others = people.filter(({ user }) => !this.#chosen.has(user));
    const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : "";
    const had = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...[...this.#chosen.values(), ...others].map((one) => this.#item(one)));
    if (!had) return;
    const boxes = findAll("input", this.#list);
    (boxes.find((box) => box instanceof HTMLInputElement && box.value === focused) ?? this.#words).focus();
  }

  /** @param {Found} person */
  #item(person) {
    const item = clone("[data-pick-item]");
    const box = find("input", HTMLInputElement, item);
    box.value = person.user;
    box.checked = this.#chosen.has(person.user);
    box.disabled = person.state === "on_stage" || person.state === "removed";
    box.addEventListener("change", () => this.#note(person, box.checked));
    drawAvatar(find(".avatar", HTMLElement, item), person);
    find("[data-pick-name]", HTMLElement, item).textContent = person.name;
    find("[data-pick-handle]", HTMLElement, item).textContent = `@${person.user}`;
    const state = find("[data-pick-state]", HTMLElement, item);
    const key = `pick_${person.state}`;
    state.hidden = !known(key);
    state.textContent = known(key) ? say(key) : "";
    return item;
  }

  /**
   * @param {Found} person
   * @param {boolean} isChosen
   */
  #note(person, isChosen) {
    if (isChosen) this.#chosen.set(person.user, person);
    else this.#chosen.delete(person.user);
    this.#root.dispatchEvent(new Event("chosen", { bubbles: true }));
  }
}
