// How far the transcript is, for the host; and pages that wait for a recording load themselves again when it is there.
import { find } from "shared/dom";
import { say } from "shared/words";

const EVERY = 8000; // ms

/** @param {HTMLElement} box */
export function watchTranscript(box) {
  const look = async () => {
    const answer = await fetch(`/api/v1/rooms/${box.dataset.progress}/transcript/`).catch(() => null);
    if (answer?.ok) {
      const { state, percent, minutes_left } = await answer.json();
      if (!["waiting", "running"].includes(state)) return location.reload();
      find("[data-percent]", HTMLElement, box).textContent = say("percent", { percent });
      find("progress", HTMLProgressElement, box).value = percent;
      const left = minutes_left ? say("minutes_left", { minutes: minutes_left }) : "";
      find("[data-left]", HTMLElement, box).textContent = left;
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}

/** @param {string} state the one that the page shows */
export function watchRecording(state) {
  const look = async () => {
    const answer = await fetch(location.pathname).catch(() => null);
    const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    const now = page?.querySelector("[data-replay]")?.getAttribute("data-state");
    if (now && now !== state) return location.reload();
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}
