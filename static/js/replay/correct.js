// Correcting a line in its place. The machine's words stay beside it.
import { clone, find, findAll, hit } from "shared/dom";
import { announce } from "shared/notice";
import { say } from "shared/words";

export class Corrections {
  #slug;
  #token;

  /**
   * @param {HTMLElement} list
   * @param {string} slug
   * @param {string} token against forged requests
   */
  constructor(list, slug, token) {
    this.#slug = slug;
    this.#token = token;
    // Without script these are links to a page with the form; from here on they are pressed.
    for (const button of findAll("[data-edit]", list)) button.setAttribute("role", "button");
    list.addEventListener("click", (event) => this.#pressed(event, event.ctrlKey || event.metaKey || event.shiftKey));
    list.addEventListener("keydown", (event) => this.#pressed(event, event.key !== " "));
  }

  /**
   * @param {Event} event
   * @param {boolean} otherwise whether the browser does something else with it
   */
  #pressed(event, otherwise) {
    const button = hit(event, "[data-edit]");
    const line = hit(event, ".line");
    if (!button || !line || otherwise) return;
    event.preventDefault();
    this.#open(line, button);
  }

  /**
   * @param {HTMLElement} line
   * @param {HTMLElement} button
   */
  #open(line, button) {
    if (line.querySelector("form")) return;
    const text = find("[data-text]", HTMLElement, line);
    const machine = find("[data-machine]", HTMLElement, line);
    const form = clone("[data-correct]", HTMLFormElement);
    const area = find("textarea", HTMLTextAreaElement, form);
    area.value = line.classList.contains("gap") ? "" : text.textContent.replaceAll("\n", " ");
    find("[name=take_back]", HTMLElement, form).hidden = machine.hidden;
    const close = () => {
      form.remove();
      text.hidden = button.hidden = false;
      button.focus();
    };
    find("[data-cancel]", HTMLElement, form).addEventListener("click", close);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const back = event.submitter?.getAttribute("name") === "take_back";
      const problem = await this.#save(line, button.dataset.edit ?? "", back ? null : area.value);
      if (problem) find(".wrong", HTMLElement, form).textContent = problem;
      else close();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key !== "Enter" || event.shiftKey || event.target !== area) return;
      event.preventDefault();
      form.requestSubmit();
    });
    text.hidden = button.hidden = true;
    line.append(form);
    area.focus();
  }

  /**
   * What went wrong, in words; nothing when it is saved.
   * @param {HTMLElement} line
   * @param {string} pk
   * @param {string | null} words null: the machine's own again
   * @returns {Promise<string | null>}
   */
  async #save(line, pk, words) {
    if (words !== null && !words.trim()) return say("empty");
    let body;
    try {
      const answer = await fetch(`/api/v1/rooms/${this.#slug}/transcript/cues/${pk}/`, {
        method: "PATCH",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.#token },
        body: JSON.stringify({ text: words }),
      });
      body = await answer.json();
      if (!answer.ok) return body.error?.fields?.text ?? body.error?.text ?? say("save_failed");
    } catch {
      return say("save_failed");
    }
    const corrected = body.corrected_at !== null;
    line.classList.toggle("gap", !body.text);
    find("[data-text]", HTMLElement, line).textContent = body.rows.join("\n") || "…";
    find("[data-doubt]", HTMLElement, line).hidden = !body.doubtful;
    const machine = find("[data-machine]", HTMLElement, line);
    machine.hidden = !corrected;
    machine.textContent = corrected ? say("machine", { text: body.machine_text || say("machine_nothing") }) : "";
    announce(say("saved"));
    return null;
  }
}
