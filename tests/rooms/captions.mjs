// What the page makes of captions: the lines that it keeps, what of one is shown, and how words are broken into lines.
import { readFileSync } from "node:fs";
import "./import_map.mjs";

const { NONE, heard, shown, untilNextWord, withLine } = await import("room/core/captions");
const { broken } = await import("room/core/line_breaks");
const asked = JSON.parse(readFileSync(0, "utf8"));

const answer = {
  lines: asked.lines?.reduce(withLine, NONE).lines,
  heard: asked.heard && heard(...asked.heard),
  wait: asked.wait && untilNextWord(...asked.wait),
  shown: asked.shown && shown(...asked.shown),
  broken: asked.broken && broken(...asked.broken),
};
process.stdout.write(JSON.stringify(answer));
