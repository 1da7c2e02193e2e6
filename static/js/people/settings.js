// Settings: offers the time zone of this device where the account says another one.
import { zone } from "zone";

const select = document.querySelector("select#id_time_zone");
const offer = document.querySelector("#zone-offer");
const button = offer?.querySelector("button[data-zone]");

/**
 * @param {HTMLSelectElement} choice
 * @param {HTMLElement} line
 * @param {HTMLButtonElement} take
 */
function offerZone(choice, line, take) {
  const show = () => {
    line.hidden = choice.value === zone;
  };
  take.textContent = zone.replaceAll("_", " ");
  choice.closest(".field")?.append(line);
  choice.addEventListener("change", show);
  take.addEventListener("click", () => {
    choice.value = zone;
    show();
    choice.focus();
  });
  show();
}

if (select instanceof HTMLSelectElement && offer instanceof HTMLElement && button instanceof HTMLButtonElement) {
  if ([...select.options].some((option) => option.value === zone)) offerZone(select, offer, button);
}
