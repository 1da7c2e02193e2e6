// What the page makes of counts of reactions: reads a list of ticks with what was sent before each, writes what is drawn.
import { readFileSync } from "node:fs";
import "./import_map.mjs";

const { OwnReactions, byKind, sprites, toned } = await import("room/core/reactions");
const { steps, most } = JSON.parse(readFileSync(0, "utf8"));

const own = new OwnReactions();
const drawn = steps.map(({ sent = [], refused = [], lost = false, counts }) => {
  for (const [kind, tone] of sent) own.add(kind, tone);
  for (const [kind, tone] of refused) own.add(kind, tone, -1);
  if (lost) own.forget();
  const others = own.others(counts);
  return {
    others,
    kinds: byKind(others),
    sprites: sprites(others, most).map((one) => [one.kind, one.tone, one.number]),
  };
});
process.stdout.write(JSON.stringify({ drawn, toned: [toned("👏", 0), toned("👏", 5)] }));
