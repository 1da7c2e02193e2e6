// A lane for each voice: when they talked, by their own tracks, or by the transcript where nothing is drawn yet.
import { isolated } from "names";

const SVG = "http://www.w3.org/2000/svg";

export class Lanes {
  constructor(root, player, data, peaks, lines) {
    this.player = player;
    this.lanes = data.lanes.map((lane) => ({
      ...lane,
      element: root.querySelector(`[data-lane="${lane.user}"]`),
      talks: peaks ? tracksOf(lane, peaks) : linesOf(lane, lines),
    }));
    this.turns = this.lanes
      .flatMap((lane) => lane.talks.map(([from, to]) => ({ from, to, lane })))
      .sort((one, other) => one.from - other.from);
    for (const lane of this.lanes) this.draw(lane);
    player.addEventListener("time", () => this.show());
    root.addEventListener("click", (event) => this.clicked(event));
  }

  draw(lane) {
    const picture = lane.element.querySelector("svg");
    const all = this.player.all || 1;
    picture.replaceChildren(
      ...lane.talks.map(([from, to]) => {
        const rect = document.createElementNS(SVG, "rect");
        rect.setAttribute("x", (1000 * from) / all);
        rect.setAttribute("width", Math.max(1.5, (1000 * (to - from)) / all));
        rect.setAttribute("y", 1);
        rect.setAttribute("height", 8);
        return rect;
      }),
    );
  }

  clicked(event) {
    const picture = event.target.closest("svg");
    if (!picture) return;
    const box = picture.getBoundingClientRect();
    this.player.seek(((event.clientX - box.left) / box.width) * this.player.all);
  }

  /** Who talks at a moment. */
  talking(at) {
    return this.lanes.filter((lane) => lane.talks.some(([from, to]) => from <= at && at < to));
  }

  show() {
    const talking = this.talking(this.player.now);
    for (const lane of this.lanes) lane.element.toggleAttribute("data-talking", talking.includes(lane));
    const names = talking.map((lane) => isolated(lane.name)).join(", ");
    const label = document.querySelector("[data-who-now]");
    if (label.textContent !== names) label.textContent = names;
  }

  /** Where somebody else begins to talk; null behind the last turn. */
  next() {
    const now = this.player.now;
    const talking = this.talking(now);
    const turn = this.turns.find(({ from, lane }) => from > now + 0.3 && !talking.includes(lane));
    return turn ? Math.max(0, turn.from - 0.2) : null;
  }
}

function tracksOf(lane, peaks) {
  const mine = peaks.lanes.filter((one) => lane.seats.includes(one.seat));
  return mine.flatMap((one) => one.talks.map(([from, to]) => [from / 1000, to / 1000])).sort((a, b) => a[0] - b[0]);
}

function linesOf(lane, lines) {
  return lines.filter((line) => line.user === lane.user).map((line) => [line.from, line.to]);
}
