// Inviting people to a room (templates/pages/invite_form.html): those who are chosen and a list of handles, each answered,
// and links to hand on. Through the API, so that it works on a page of its own as in a dialog of the room's page.
import { Links } from "invite/links";
import { People } from "invite/people";
import { api } from "shared/api";
import { clone, find, findAll, write } from "shared/dom";
import { known, say, sayMany } from "shared/words";

/**
 * What became of the invitation of one person: `invited`, or the code of a refusal.
 * @typedef {object} Answer
 * @property {string} user as it was written
 * @property {string} result
 */

const AT_ONCE = 200; // people in one request: each is answered before the next is sent

/**
 * The handles in a text, one a line or with commas, semicolons or spaces between them; each once.
 * @param {string} text
 */
export function handlesIn(text) {
  const words = text.split(/[\s,;]+/u).map((word) => word.replace(/^@/u, ""));
  return [...new Map(words.filter(Boolean).map((word) => [word.toLowerCase(), word])).values()];
}

export class InviteForm {
  #root;
  #form;
  #slug;
  #people;
  #links;
  #list;
  #answers;
  #button;
  #mayInviteToSpeak = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#form = find("[data-invite-form]", HTMLFormElement, root);
    this.#slug = root.dataset.slug ?? "";
    this.#people = new People(find("[data-pick]", HTMLElement, root), this.#slug);
    this.#links = new Links(root, this.#slug);
    this.#list = find("textarea", HTMLTextAreaElement, this.#form);
    this.#answers = find("[data-invite-answers]", HTMLElement, this.#form);
    this.#button = find("[data-invite-send]", HTMLButtonElement, this.#form);
    this.#mayInviteToSpeak = !find("[data-invite-kinds]", HTMLElement, root).hidden;
    this.#drawKind();
    for (const choice of findAll("[name=kind]", this.#form)) choice.addEventListener("change", () => this.#changed());
    root.addEventListener("chosen", () => this.#drawButton());
    this.#list.addEventListener("input", () => this.#drawButton());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** @returns {"speak" | "listen"} */
  get #kind() {
    return this.#mayInviteToSpeak && new FormData(this.#form).get("kind") === "speak" ? "speak" : "listen";
  }

  /** @param {boolean} may the reader is host or co-host */
  set mayInviteToSpeak(may) {
    if (may === this.#mayInviteToSpeak) return;
    this.#mayInviteToSpeak = may;
    this.#drawKind();
  }

  /** Show whom there is to choose now. */
  open() {
    this.#people.search();
    this.#changed();
  }

  /** Nobody is chosen any more, and nothing stands there for the next time. */
  begin() {
    this.#list.value = "";
    this.#answers.hidden = true;
    this.#links.forget();
    this.#people.forget();
    this.#drawButton();
  }

  #changed() {
    this.#drawKind();
    if (this.#kind === "listen") this.#links.prepareShare();
  }

  #drawKind() {
    const kind = this.#kind;
    find("[data-invite-kinds]", HTMLElement, this.#root).hidden = !this.#mayInviteToSpeak;
    for (const choice of findAll("[data-host-side]", this.#root)) {
      choice.toggleAttribute("disabled", !this.#mayInviteToSpeak);
      choice.hidden = !this.#mayInviteToSpeak;
    }
    for (const part of findAll("[data-invite-kind]", this.#root)) part.hidden = part.dataset.inviteKind !== kind;
    this.#drawButton();
  }

  get #wanted() {
    const chosen = this.#people.chosen;
    const known = new Set(chosen.map((user) => user.toLowerCase()));
    return [...chosen, ...handlesIn(this.#list.value).filter((word) => !known.has(word.toLowerCase()))];
  }

  #drawButton() {
    const count = this.#wanted.length;
    write(this.#button, count === 0 ? say("invite_nobody") : sayMany("invite_people", count));
  }

  async #send() {
    if (this.#button.getAttribute("aria-disabled") === "true") return; // it is on its way
    const users = this.#wanted;
    if (users.length === 0) return this.#show([], say("invite_whom"));
    this.#button.setAttribute("aria-disabled", "true");
    /** @type {Answer[]} */
    const answers = [];
    try {
      const kind = this.#kind;
      for (let n = 0; n < users.length; n += AT_ONCE) {
        const body = { kind, users: users.slice(n, n + AT_ONCE) };
        answers.push(...(await api("POST", `rooms/${this.#slug}/invitations/`, body)).results);
      }
      this.#sent(answers);
    } catch (refused) {
      this.#show(answers, refused.code ? refused.message : say("invite_failed"));
    } finally {
      this.#button.removeAttribute("aria-disabled");
    }
  }

  /** @param {Answer[]} answers */
  #sent(answers) {
    const invited = answers.filter(({ result }) => result === "invited").length;
    const refused = answers.length - invited;
    const said = [sayMany("invite_done", invited), ...(refused > 0 ? [sayMany("invite_refused", refused)] : [])];
    this.#show(answers, said.join(" "));
    this.#list.value = "";
    this.#people.clear();
    this.#drawButton();
  }

  /**
   * @param {Answer[]} answers
   * @param {string} said
   */
  #show(answers, said) {
    this.#answers.hidden = false;
    write(find("[data-invite-said]", HTMLElement, this.#answers), said);
    const lines = answers.map(({ user, result }) => {
      const line = clone("[data-invite-answer]");
      find("bdi", HTMLElement, line).textContent = `@${user}`;
      const key = `answer_${result}`;
      find("span", HTMLElement, line).textContent = say(known(key) ? key : "answer_other");
      return line;
    });
    find("[data-invite-list]", HTMLElement, this.#answers).replaceChildren(...lines);
    this.#answers.focus();
  }
}
