// Plays messages about hands to the page's own models: reads a list of stories, each a list of messages after a
// snapshot, and writes what is known of one's own hand and of the queue after each story.
import { readFileSync } from "node:fs";
import "./import_map.mjs";

const { Own, Queue } = await import("room/core/hand_queue");

const ends = JSON.parse(readFileSync(0, "utf8")).map(({ snapshot, messages }) => {
  const [own, queue] = [new Own(), new Queue()];
  own.reset(snapshot.own);
  queue.reset(snapshot);
  for (const message of messages) {
    if (message.type === "hand_raised") queue.raise(message.data);
    else if (message.type === "hand_lowered") queue.lower(message.data);
    else if (message.type === "hand_up" || message.type === "hand_place") own.up(message);
    else own.down(message);
  }
  return { own: own.hand, queue: queue.first, count: queue.count, short: queue.isShort };
});
process.stdout.write(JSON.stringify(ends));
