// Correcting a line in its place. The machine's words stay beside it.
import { say, tell } from "replay/words";

export class Corrections {
  constructor(list, slug, token) {
    this.slug = slug;
    this.token = token;
    this.letters = Number(list.dataset.letters);
    // Without script these are links to a page with the form; from here on they are pressed.
    for (const button of list.querySelectorAll("[data-edit]")) button.setAttribute("role", "button");
    list.addEventListener("click", (event) => this.pressed(event, event.ctrlKey || event.metaKey || event.shiftKey));
    list.addEventListener("keydown", (event) => this.pressed(event, event.key !== " "));
  }

  pressed(event, otherwise) {
    const button = event.target.closest("[data-edit]");
    if (!button || otherwise) return;
    event.preventDefault();
    this.open(button.closest(".line"), button);
  }

  open(line, button) {
    if (line.querySelector("form")) return;
    const text = line.querySelector("[data-text]");
    const machine = line.querySelector("[data-machine]");
    const form = document.createElement("form");
    const area = Object.assign(document.createElement("textarea"), { dir: "auto", required: true });
    area.dataset.most = this.letters;
    area.value = line.classList.contains("gap") ? "" : text.textContent;
    area.setAttribute("aria-label", say("what_was_said"));
    const trouble = Object.assign(document.createElement("p"), { className: "wrong", role: "alert", dir: "auto" });
    const actions = Object.assign(document.createElement("div"), { className: "actions" });
    const close = () => {
      form.remove();
      text.hidden = button.hidden = false;
      button.focus();
    };
    const send = async (words) => {
      const problem = await this.save(line, button.dataset.edit, words);
      if (problem) trouble.textContent = problem;
      else close();
    };
    actions.append(action(say("save"), "main", "submit"), action(say("cancel"), "quiet", "button", close));
    if (!machine.hidden) actions.append(action(say("take_back"), "quiet", "button", () => send(null)));
    form.append(area, trouble, actions);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(area.value);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter" && !event.shiftKey && event.target === area) form.requestSubmit(event.preventDefault());
    });
    text.hidden = button.hidden = true;
    line.append(form);
    area.focus();
  }

  /** What went wrong, in words; nothing when it is saved. */
  async save(line, pk, words) {
    if (words !== null && !words.trim()) return say("empty");
    let body;
    try {
      const answer = await fetch(`/api/v1/rooms/${this.slug}/transcript/cues/${pk}/`, {
        method: "PATCH",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
        body: JSON.stringify({ text: words }),
      });
      body = await answer.json();
      if (!answer.ok) return body.error?.fields?.text ?? body.error?.text ?? say("save_failed");
    } catch {
      return say("save_failed");
    }
    const corrected = body.corrected_at !== null;
    line.classList.toggle("gap", !body.text);
    line.querySelector("[data-text]").textContent = body.text || "…";
    line.querySelector("[data-doubt]").hidden = !body.doubtful;
    const machine = line.querySelector("[data-machine]");
    machine.hidden = !corrected;
    machine.textContent = corrected ? say("machine", { text: body.machine_text || say("machine_nothing") }) : "";
    tell(say("saved"));
    return null;
  }
}

function action(text, look, type, click = null) {
  const button = Object.assign(document.createElement("button"), { textContent: text, type });
  button.className = `button small ${look}`;
  if (click) button.addEventListener("click", click);
  return button;
}
