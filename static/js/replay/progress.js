// How far the transcript is, for the host; and pages that wait for a recording load themselves again when it is there.
import { say } from "replay/words";

const EVERY = 8000;

export function watchTranscript(box) {
  const look = async () => {
    const answer = await fetch(`/api/v1/rooms/${box.dataset.progress}/transcript/`).catch(() => null);
    if (answer?.ok) {
      const found = await answer.json();
      if (!["waiting", "running"].includes(found.state)) return location.reload();
      box.querySelector("[data-percent]").textContent = say("percent", { percent: found.percent });
      box.querySelector("progress").value = found.percent;
      const left = found.minutes_left ? say("minutes_left", { minutes: found.minutes_left }) : "";
      box.querySelector("[data-left]").textContent = left;
    }
    return setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}

export function watchRecording(state) {
  const look = async () => {
    const answer = await fetch(location.pathname).catch(() => null);
    const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    const found = page?.querySelector("[data-replay]")?.dataset.state;
    if (found && found !== state) return location.reload();
    return setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}
