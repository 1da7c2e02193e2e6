// A person's card: who they are, and what the host may do about their seat.
import { drawAvatar } from "room/seats";
import { say } from "room/words";

export class PersonCard {
  #sheet = document.getElementById("person-sheet");
  #user = null;

  /** `act(what, handle)`: mute or unseat. */
  constructor(act) {
    this.#sheet.addEventListener("click", (event) => {
      if (event.target === this.#sheet) this.#sheet.close();
      const what = event.target.closest("[data-person-do]")?.dataset.personDo;
      if (!what) return;
      act(what, this.#user);
      this.#sheet.close();
    });
  }

  open(state, user) {
    this.#user = user;
    if (this.draw(state)) this.#sheet.showModal();
  }

  /** Keeps an open card true; false if the person has no seat any more (then it closes). */
  draw(state) {
    const seat = state.seats.find((one) => one.user === this.#user);
    if (!seat) {
      this.#sheet.close();
      return false;
    }
    const find = (name) => this.#sheet.querySelector(`[data-person-${name}]`);
    drawAvatar(find("avatar"), seat);
    find("name").textContent = seat.name;
    const role = seat.role === "speaker" ? "" : ` · ${say(seat.role)}`;
    find("line").textContent = `@${seat.user}${role} · ${say(seat.muted ? "mic_off" : "mic_on")}`;
    find("page").href = `/people/${encodeURIComponent(seat.user)}/`;
    const mayRule = state.you.may.mute_others && seat.role !== "host" && seat.user !== state.you.user;
    this.#sheet.querySelector('[data-person-do="mute"]').hidden = !mayRule || seat.muted;
    this.#sheet.querySelector('[data-person-do="unseat"]').hidden = !mayRule;
    return true;
  }

  redraw(state) {
    if (this.#sheet.open) this.draw(state);
  }
}
