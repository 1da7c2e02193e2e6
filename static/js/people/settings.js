// Settings: offers the time zone of this device where the account says another one.
import { zone } from "zone";

const select = document.querySelector("#id_time_zone");
const offer = document.querySelector("#zone-offer");
const button = offer?.querySelector("[data-zone]");
const known = select ? [...select.options].find((option) => option.value === zone) : undefined;

function show() {
  offer.hidden = select.value === zone;
}

if (button && known) {
  button.textContent = zone.replaceAll("_", " ");
  select.closest(".field").append(offer);
  select.addEventListener("change", show);
  button.addEventListener("click", () => {
    select.value = zone;
    show();
    select.focus();
  });
  show();
}
