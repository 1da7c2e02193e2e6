// Orders chairs as the room page does: reads a list of {seats, most}, writes [count, [[at, user or null], …]] of each.
import { readFileSync } from "node:fs";
import "../rooms/import_map.mjs";

const { chairs } = await import("room/core/chairs");
const tables = JSON.parse(readFileSync(0, "utf8")).map(({ seats, most }) => {
  const { count, chairs: all } = chairs(seats, most);
  return [count, all.map(({ at, seat }) => [at, seat?.user ?? null])];
});
process.stdout.write(JSON.stringify(tables));
