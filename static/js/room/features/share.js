// Hands on the room's address: by the device's own sheet, else by the clipboard.
import { notice } from "room/core/notices";
import { say } from "shared/words";

/** @param {string} title */
async function hand(title) {
  const url = location.origin + location.pathname;
  try {
    if (navigator.share) await navigator.share({ title, url });
    else {
      await navigator.clipboard.writeText(url);
      notice(say("copied"));
    }
  } catch (error) {
    if (error.name !== "AbortError") notice(say("copy_failed", { url }));
  }
}

/** @satisfies {import("room/types").Feature} */
export const share = {
  mount: ({ page }) => ({
    controls: (_state, { out }) => (out === "not_signed_in" || out === "signed_out" ? [] : ["share"]),
    actions: { share: () => hand(page.title) },
  }),
};
