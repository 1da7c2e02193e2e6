// Replays events on a snapshot as the room page does: reads {reducer, snapshot, events}, writes the state after each.
import { readFileSync } from "node:fs";

const { reducer, snapshot, events } = JSON.parse(readFileSync(0, "utf8"));
const { apply, fromSnapshot } = await import(`data:text/javascript;base64,${readFileSync(reducer).toString("base64")}`);

let state = fromSnapshot(snapshot);
const steps = events.map((event) => {
  const next = apply(state, event);
  state = next.state;
  return { gap: next.gap, state: { ...state, talking: [...state.talking] } };
});
process.stdout.write(JSON.stringify(steps));
