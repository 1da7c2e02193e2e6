// Settings: finds a time zone by its letters, offers the one of this device where the account says another one, and
// takes a picture once there is a file.
import { matching } from "people/zones";
import { find } from "shared/dom";
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

/**
 * A search over the choice. Options are taken out, as some browsers show hidden ones; the chosen one always stays.
 * @param {HTMLSelectElement} choice
 * @param {HTMLElement} field
 */
function searchZones(choice, field) {
  const query = find("input", HTMLInputElement, field);
  const all = [...choice.children].map((child) => child.cloneNode(true));
  const names = [...new Set([...choice.options].map((option) => option.value))];
  query.addEventListener("input", () => {
    const chosen = choice.value;
    const found = matching(names, query.value);
    choice.replaceChildren(...all.map((child) => child.cloneNode(true)));
    for (const option of [...choice.options]) {
      if (option.value !== chosen && !found.includes(option.value)) option.remove();
    }
    for (const group of choice.querySelectorAll("optgroup:not(:has(option))")) group.remove();
    choice.value = chosen;
    const { none, one, found: many } = query.dataset;
    const line = found.length === 1 ? one : found.length ? many : none;
    const told = query.value.trim() ? (line ?? "").replace("{count}", String(found.length)) : "";
    find("[data-zone-found]", HTMLElement, field).textContent = told;
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it would send the whole form
  });
  choice.closest(".field")?.before(field);
  field.hidden = false;
}

/** No button for a picture before there is a file; the browser may have kept one from before. */
function waitForPicture() {
  const file = document.querySelector("input[type=file][name=picture]");
  const use = document.querySelector("[data-use-picture]");
  if (!(file instanceof HTMLInputElement && use instanceof HTMLButtonElement)) return;
  const show = () => {
    use.disabled = !file.files?.length;
  };
  file.addEventListener("change", show);
  show();
}

if (select instanceof HTMLSelectElement && offer instanceof HTMLElement && button instanceof HTMLButtonElement) {
  if ([...select.options].some((option) => option.value === zone)) offerZone(select, offer, button);
  searchZones(select, find("#zone-search"));
}
waitForPicture();
