// The question before an act that cannot simply be taken back: one sheet (templates/pages/question.html).
import { find, write } from "shared/dom";

/**
 * Ask, and resolve to whether the answer was yes.
 * @param {{ title: string, text: string, yes: string, isGrave?: boolean }} words `isGrave` for what is lost for good
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, yes, isGrave = false }) {
  const sheet = find("#question-sheet", HTMLDialogElement);
  const button = find('[value="yes"]', HTMLButtonElement, sheet);
  write(find("h2", HTMLElement, sheet), title);
  write(find("p", HTMLElement, sheet), text);
  write(button, yes);
  button.classList.toggle("danger", isGrave);
  button.classList.toggle("main", !isGrave);
  sheet.returnValue = "";
  sheet.showModal();
  return new Promise((resolve) => {
    sheet.onclose = () => resolve(sheet.returnValue === "yes");
  });
}
