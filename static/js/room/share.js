// Hands on the room's address: by the device's own sheet, else by the clipboard.
import { say } from "room/words";

export async function share(title, tell) {
  const url = location.origin + location.pathname;
  try {
    if (navigator.share) await navigator.share({ title, url });
    else {
      await navigator.clipboard.writeText(url);
      tell(say("copied"));
    }
  } catch (error) {
    if (error.name !== "AbortError") tell(say("copy_failed", { url }));
  }
}
