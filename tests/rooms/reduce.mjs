// Replays events on a snapshot as the room page does: reads {snapshot, events}, writes the state after each.
import { readFileSync } from "node:fs";
import "./import_map.mjs";

const { apply } = await import("room/core/store");
const { fromSnapshot } = await import("room/core/state");
const { tables } = await import("room/features/all");
const { snapshot, events } = JSON.parse(readFileSync(0, "utf8"));

let state = fromSnapshot(snapshot);
const steps = events.map((event) => {
  const next = apply(tables, state, event);
  state = next.state;
  return { gap: next.gap, state: { ...state, talking: [...state.talking] } };
});
process.stdout.write(JSON.stringify(steps));
