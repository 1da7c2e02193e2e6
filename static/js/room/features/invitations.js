// Who was invited, for host and co-hosts: to speak and to listen, personal links, and how many came by whose invitation.
import { drawList } from "room/core/rows";
import { isAnew, isOver } from "room/core/state";
import { drawAvatar } from "shared/avatar";
import { find, hit, write } from "shared/dom";
import { number, say, sayMany } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted, State } from "room/types" */
/** @import { Invitation, InvitationCount, Invitations, PersonalLink } from "room/wire" */

const SOON = 2000; // ms after news until all of it is asked for: of many invitations at once only some are told

/**
 * A list in which one entry is new or another one, by its `id`; a new one stands first.
 * @template {{ id: number }} Entry
 * @param {Entry[]} list
 * @param {Entry} entry
 */
function withEntry(list, entry) {
  const isKnown = list.some(({ id }) => id === entry.id);
  return isKnown ? list.map((one) => (one.id === entry.id ? entry : one)) : [entry, ...list];
}

/** @implements {Mounted} */
class InvitationsPanel {
  #room;
  #panel = find("[data-invitations]");
  #timer = 0;
  /** @type {Invitation[]} */
  #sent = [];
  /** @type {PersonalLink[]} */
  #links = [];
  /** @type {InvitationCount[]} */
  #counts = [];

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    this.#reset(room.state);
    this.#panel.addEventListener("click", (event) => {
      const revoke = hit(event, "[data-revoke]");
      if (revoke) this.#revoke(revoke.dataset.revoke ?? "", Number(hit(event, "li")?.dataset.key));
    });
  }

  /** @type {Mounted["messages"]} */
  messages = {
    invitation: ({ data }) => {
      this.#sent = withEntry(this.#sent, data);
      this.#changed();
    },
    personal_link: ({ data }) => {
      this.#links = withEntry(this.#links, data);
      this.#changed();
    },
  };

  /**
   * @param {State} state
   * @param {State} before
   */
  follow(state, before) {
    if (isAnew(state, before)) this.#reset(state);
  }

  /**
   * The focus stays in the panel when the button that has it goes.
   * @param {State} state
   */
  draw(state) {
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.hidden = !state.you.may.manage || isOver(state);
    if (!this.#panel.hidden) this.#drawAll();
    if (!hadFocus) return;
    if (this.#panel.hidden) find("#main").focus({ preventScroll: true });
    else if (!this.#panel.contains(document.activeElement)) this.#panel.focus({ preventScroll: true });
  }

  /** @param {State} state */
  #reset(state) {
    const part = /** @type {Invitations | undefined} */ (state.you.parts.invitations);
    this.#sent = part?.list ?? [];
    this.#links = part?.links ?? [];
    this.#counts = part?.counts ?? [];
  }

  #changed() {
    this.#room.draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#room.ask("snapshot").catch((refused) => console.info("snapshot", refused.code));
    }, SOON);
  }

  /**
   * @param {string} what "invitation" or "link"
   * @param {number} id
   */
  #revoke(what, id) {
    const { ask } = this.#room;
    this.#room.attempt(() =>
      what === "link" ? ask("revoke_link", { link: id }) : ask("revoke_invitation", { invitation: id }),
    );
  }

  #drawAll() {
    const came = this.#counts.reduce((sum, one) => sum + one.came, 0);
    find("[data-invitations-none]", HTMLElement, this.#panel).hidden = this.#sent.length + this.#links.length > 0;
    write(find("[data-invitations-count]", HTMLElement, this.#panel), number(this.#sent.length));
    this.#drawList("sent", this.#sent, (item, one) => this.#drawSent(item, one));
    this.#drawList("links", this.#links, (item, one) => this.#drawLink(item, one));
    const counts = this.#counts.filter((one) => one.came > 0).map((one) => ({ ...one, id: one.by }));
    this.#drawList("came", counts, (item, one) => {
      write(find("bdi", HTMLElement, item), one.name);
      write(find("[data-came-by]", HTMLElement, item), number(one.came));
    });
    write(find("[data-came-all]", HTMLElement, this.#panel), came > 0 ? sayMany("came", came) : "");
  }

  /**
   * A list with its heading, which goes with the last entry.
   * @template {{ id: number | string }} Entry
   * @param {string} name
   * @param {Entry[]} entries
   * @param {(item: HTMLElement, entry: Entry) => void} draw
   */
  #drawList(name, entries, draw) {
    const list = find(`[data-list="${name}"]`, HTMLElement, this.#panel);
    drawList(list, `[data-item="${name}"]`, entries, ({ id }) => `${id}`, this.#panel, draw);
    list.parentElement?.toggleAttribute("hidden", entries.length === 0);
  }

  /**
   * @param {HTMLElement} item
   * @param {Invitation} invitation
   */
  #drawSent(item, { user, name, kind, state, came, ...person }) {
    const part = (/** @type {string} */ which) => find(which, HTMLElement, item);
    drawAvatar(part(".avatar"), person);
    write(part("bdi"), name);
    write(part(".soft"), `@${user}`);
    write(part("[data-kind]"), say(`invitation_${kind}`));
    write(part("[data-state]"), say(came ? "invitation_came" : `invitation_${state}`));
    const revoke = part("[data-revoke]");
    revoke.hidden = state !== "pending" && state !== "accepted";
    revoke.setAttribute("aria-label", say("invitation_revoke_name", { name }));
  }

  /**
   * @param {HTMLElement} item
   * @param {PersonalLink} link
   */
  #drawLink(item, { label, state }) {
    write(find("bdi", HTMLElement, item), label);
    write(find("[data-state]", HTMLElement, item), say(`personal_link_${state}`));
    const revoke = find("[data-revoke]", HTMLElement, item);
    revoke.hidden = state !== "open";
    revoke.setAttribute("aria-label", say("personal_link_revoke_name", { name: label }));
  }
}

/** @satisfies {import("room/types").Feature} */
export const invitations = {
  mount: (room) => (room.state.you.user === null ? {} : new InvitationsPanel(room)),
};
