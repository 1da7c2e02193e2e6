// Pages that follow what happens take over parts of themselves as the server draws them now, so that it words everything
// once.
import { upgradeTimes } from "page";

/**
 * A page as it is now; null where there is no connection. `ok` is false for an answer that is no page of this kind.
 * @param {string} address
 * @param {RequestInit} [options]
 */
export async function fresh(address, options) {
  const answer = await fetch(address, options).catch(() => null);
  if (!answer) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  upgradeTimes(page);
  const signedOut = answer.redirected && new URL(answer.url).pathname.startsWith("/accounts/");
  return { page, ok: answer.ok && !signedOut, signedOut, status: answer.status };
}

/**
 * Run work at once, and once more when it was asked for meanwhile: never twice at the same time.
 * @param {() => Promise<void>} work
 */
export function oneAtATime(work) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await work();
    }
    running = false;
  };
}
