// The choice of one's microphone while on stage, in one's own card; and what the page says when the device is gone.
import { notice } from "room/core/notices";
import { microphoneTrouble } from "room/sound/check";
import { microphones } from "room/sound/stage";
import { find } from "shared/dom";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */
/** @import { Mounted } from "room/types" */

/** @implements {Mounted} */
class Devices {
  #room;
  #sheet = find("#person-sheet", HTMLDialogElement);
  #part = find("[data-person-device]");
  #choice = find("select", HTMLSelectElement, this.#part);
  #line = find("[role=status]", HTMLElement, this.#part);
  #button = find("[data-devices]", HTMLButtonElement);
  #isOwn = false;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    const { stage } = room;
    room.addEventListener("person", (event) => {
      this.#isOwn = /** @type {CustomEvent<string>} */ (event).detail === room.state.you.user;
      this.#line.textContent = "";
      this.#show();
    });
    this.#button.addEventListener("click", async () => {
      room.dispatchEvent(new CustomEvent("person", { detail: room.state.you.user }));
      await this.#show(); // a list without a choice would be read out as empty
      this.#choice.focus();
    });
    this.#choice.addEventListener("change", () => this.#use(this.#choice.value));
    stage.addEventListener("change", () => this.#show());
    stage.addEventListener("replaced", (event) => this.#replaced(/** @type {CustomEvent<string>} */ (event).detail));
    // Not there where the connection is not secure.
    navigator.mediaDevices?.addEventListener("devicechange", async () => {
      await stage.lookAfter();
      this.#show();
    });
  }

  draw() {
    this.#button.hidden = this.#room.stage.state === "off";
  }

  async #show() {
    const { stage } = this.#room;
    this.#part.hidden = !this.#isOwn || stage.state === "off";
    if (this.#part.hidden) return;
    const known = await microphones();
    const { device } = stage;
    const options = known.map(
      ({ label, deviceId }, n) =>
        new Option(label || `${say("check_default")} ${n + 1}`, deviceId, false, deviceId === device),
    );
    this.#choice.replaceChildren(...options);
  }

  /** @param {string} device */
  async #use(device) {
    try {
      await this.#room.stage.use(device);
      this.#say(say("device_now", { name: this.#choice.selectedOptions[0]?.text ?? "" }));
    } catch (error) {
      this.#say(microphoneTrouble(error));
      await this.#show();
    }
  }

  /** @param {string} label the one that goes on */
  async #replaced(label) {
    await this.#show();
    this.#say(say("device_gone", { name: label || say("check_default") }));
  }

  /**
   * In the card while it is open: a dialog makes the page behind it silent.
   * @param {string} text
   */
  #say(text) {
    if (this.#sheet.open && !this.#part.hidden) this.#line.textContent = text;
    else notice(text);
  }
}

/** @satisfies {import("room/types").Feature} */
export const devices = {
  mount: (room) => new Devices(room),
};
