// Measures connections as the room page does: reads a list of stories, each a list of statistics (lists of what getStats
// has), and writes what is said after each measurement of each.
import { readFileSync } from "node:fs";
import "./import_map.mjs";

const { levelOf, sampleOf, settled } = await import("room/sound/quality");

const said = JSON.parse(readFileSync(0, "utf8")).map((reports) => {
  let [before, last, now] = [null, "good", "good"];
  return reports.map((report) => {
    const sample = sampleOf(report);
    const level = before && levelOf(before, sample);
    before = sample;
    if (!level) return null;
    now = settled(now, last, level);
    last = level;
    return [level, now];
  });
});
process.stdout.write(JSON.stringify(said));
