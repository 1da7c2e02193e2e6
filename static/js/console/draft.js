// The form of a decision, on a case or on an appeal: its text is kept in the tab until it is decided, and only what
// belongs to the outcome shows.
import { tell } from "console/parts";
import { find, findAll } from "shared/dom";
import { keepText, keptText } from "shared/kept";
import { say } from "shared/words";

/** @param {{ case: number, reader: number, open: boolean, of: "case" | "review" }} data `case` is the key of the review there */
export function keepDraft(data) {
  const kept = `stamtafel.${data.of}.${data.reader}.${data.case}`;
  const form = document.querySelector("[data-decide]");
  if (!(form instanceof HTMLFormElement)) {
    if (!data.open) keepText(kept, ""); // decided, released, or another's now
    return;
  }
  // What came back from the site is newer than what is kept.
  if (!form.dataset.draft && keptText(kept)) {
    fill(form, new URLSearchParams(keptText(kept)));
    tell(say("case_draft_kept"));
  }
  const keep = () => {
    const body = new FormData(form);
    body.delete("csrfmiddlewaretoken");
    keepText(kept, new URLSearchParams(/** @type {any} */ (body)).toString());
    draw(form);
  };
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  draw(form);
}

/**
 * @param {HTMLFormElement} form
 * @param {URLSearchParams} values
 */
function fill(form, values) {
  for (const field of form.elements) {
    if (field instanceof HTMLInputElement && ["radio", "checkbox"].includes(field.type)) {
      field.checked = values.getAll(field.name).includes(field.value);
    } else if (
      (field instanceof HTMLInputElement && field.type !== "hidden") ||
      field instanceof HTMLTextAreaElement ||
      field instanceof HTMLSelectElement
    ) {
      field.value = values.get(field.name) ?? "";
    }
  }
}

/** @param {HTMLFormElement} form */
function draw(form) {
  const values = new FormData(form);
  form.dataset.outcome = String(values.get("outcome") ?? "");
  form.dataset.verdict = String(values.get("verdict") ?? "");
  const rule = find("[name=rule]", HTMLSelectElement, form).value;
  for (const text of findAll("[data-rule-text]", form)) text.hidden = text.dataset.ruleText !== rule;
}
