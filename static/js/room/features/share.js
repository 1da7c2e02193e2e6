// Hands on the room's address: by the device's own sheet, else by the clipboard. That of somebody who is signed in says by
// whom people came.
import { notice } from "room/core/notices";
import { api } from "shared/api";
import { findAll } from "shared/dom";
import { handOn } from "shared/sharing";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */

const AT_HAND = 1000; // ms to wait for one's own address: browsers let a page share and copy only right after the click

class Share {
  #room;
  /** @type {Promise<string> | null} */
  #own = null;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    for (const button of findAll("[data-share-room], [data-do=share]")) {
      // Who comes near it gets an address of their own, and nobody else does.
      for (const kind of ["pointerenter", "focus"]) button.addEventListener(kind, () => this.#prepare());
      if (button.dataset.do === undefined) button.addEventListener("click", () => this.hand());
    }
  }

  #prepare() {
    if (this.#room.state.you.user !== null) this.#own ??= this.#fetch();
    return this.#own;
  }

  /** @returns {Promise<string>} "" where there is none now */
  async #fetch() {
    try {
      return (await api("POST", `rooms/${this.#room.page.slug}/share-link/`)).url;
    } catch (refused) {
      console.info("share link", refused.code ?? refused.name);
      this.#own = null; // the next time it is tried again
      return "";
    }
  }

  async hand() {
    const late = new Promise((resolve) => setTimeout(resolve, AT_HAND, ""));
    const url = (await Promise.race([this.#prepare(), late])) || location.origin + location.pathname;
    const done = await handOn(this.#room.page.title, url);
    if (done === "copied") notice(say("copied"));
    if (done === "failed") notice(say("copy_failed", { url }));
  }
}

/** @satisfies {import("room/types").Feature} */
export const share = {
  mount(room) {
    const own = new Share(room);
    return {
      controls: (_state, { out }) => (out === "not_signed_in" || out === "signed_out" ? [] : ["share"]),
      actions: { share: () => own.hand() },
    };
  },
};
