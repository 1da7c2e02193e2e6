// Hands on the room's address: by the device's own sheet, else by the clipboard.
import { notice } from "room/core/notices";
import { handOn } from "shared/sharing";
import { say } from "shared/words";

/** @param {string} title */
async function hand(title) {
  const url = location.origin + location.pathname;
  const done = await handOn(title, url);
  if (done === "copied") notice(say("copied"));
  if (done === "failed") notice(say("copy_failed", { url }));
}

/** @satisfies {import("room/types").Feature} */
export const share = {
  mount: ({ page }) => ({
    controls: (_state, { out }) => (out === "not_signed_in" || out === "signed_out" ? [] : ["share"]),
    actions: { share: () => hand(page.title) },
  }),
};
