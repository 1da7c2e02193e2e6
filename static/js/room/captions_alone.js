// Captions alone, for a second screen: the last lines of everybody, large; the newest at the foot.
import { labels } from "names";
import { lastLines, lettersIn } from "room/core/caption_blocks";
import { RoomSocket } from "room/core/socket";
import { isOver } from "room/core/state";
import { Store } from "room/core/store";
import { tables } from "room/features/all";
import { clone, find, findAll, readJson, write } from "shared/dom";
import { keepNumber, keptNumber } from "shared/kept";
import { say } from "shared/words";

/** @import { Caption, Message } from "room/wire" */

const SIZE = "captions-alone-size";
const LARGEST = 4;
const EACH = 12; // lines of one turn, at most

const page = readJson("room-page");
const list = find("[data-alone]");
const status = find("[data-alone-status]");
const socket = new RoomSocket(page.slug, false);
const store = new Store(readJson("room-snapshot"), tables);
let asking = false;
let gone = false; // not admitted any more

/** @param {number} size */
function setSize(size) {
  keepNumber(SIZE, size);
  document.body.dataset.size = String(size);
  for (const button of findAll("[data-size-step]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.disabled = size === (button.dataset.sizeStep === "1" ? LARGEST : 0);
  }
  draw();
}

function resync() {
  if (asking) return;
  asking = true;
  socket
    .ask("snapshot")
    .catch((refused) => console.info("snapshot", refused.code))
    .finally(() => (asking = false));
}

/** Lines in their order, those that one person says after each other as one turn; none where nothing is written. */
function turns() {
  if (gone || isOver(store.state) || !store.state.room.transcription) return [];
  const off = new Set(store.state.seats.filter((seat) => seat.captions_off).map(({ user }) => user));
  /** @type {Caption[][]} */
  const all = [];
  for (const line of store.state.captions.lines) {
    if (off.has(line.person) || (line.confirmed.length === 0 && !line.draft)) continue;
    const last = all.at(-1);
    if (last && last[0].person === line.person) last.push(line);
    else all.push([line]);
  }
  return all;
}

function draw() {
  const { room, seats } = store.state;
  const called = labels(seats);
  const most = lettersIn(list);
  const wanted = turns().map((turn) => {
    const [{ person, line }] = turn;
    const key = String(line);
    const element = findAll("li", list).find(({ dataset }) => dataset.line === key) ?? clone("[data-turn]");
    element.dataset.line = key;
    write(find(".alone-name", HTMLElement, element), called.get(person) ?? `@${person}`);
    const text = find(".alone-text", HTMLElement, element);
    text.lang = room.language;
    const shown = turn.map(({ confirmed, draft, ...one }) => ({
      ...one,
      words: confirmed.map(([word]) => word),
      draft: draft.split(/\s+/).filter(Boolean),
    }));
    const parts = lastLines(shown, most, EACH);
    const rows = findAll(".caption-line", text);
    parts.forEach(({ words, draft }, n) => {
      const row = rows[n] ?? text.appendChild(clone("[data-caption-line]"));
      write(find("[data-words]", HTMLElement, row), words && draft ? `${words} ` : words);
      write(find(".caption-draft", HTMLElement, row), draft);
    });
    for (const row of rows.slice(parts.length)) row.remove();
    return element;
  });
  for (const old of findAll("li", list)) if (!wanted.includes(old)) old.remove();
  wanted.forEach((element, n) => {
    if (list.children[n] !== element) list.insertBefore(element, list.children[n] ?? null);
  });
  write(status, said());
}

function said() {
  const { room, captions } = store.state;
  if (gone) return say("captions_gone");
  if (isOver(store.state)) return say("ended");
  if (!room.transcription) return say("captions_level_none");
  if (captions.level !== "on") return say(`captions_level_${captions.level}`);
  return captions.lines.length === 0 ? say("captions_soon") : "";
}

socket.addEventListener("message", (event) => {
  const message = /** @type {CustomEvent<Message>} */ (event).detail;
  if ("room" in message && message.type !== "snapshot" && message.room !== page.slug) return;
  if (store.dispatch(message)) resync();
});
socket.addEventListener("lost", () => write(status, say("reconnecting")));
socket.addEventListener("final", () => {
  gone = true;
  draw();
});
store.subscribe(draw);
addEventListener("resize", draw);
for (const button of findAll("[data-size-step]")) {
  const step = Number(button.dataset.sizeStep);
  button.addEventListener("click", () => setSize(Math.min(LARGEST, Math.max(0, keptNumber(SIZE, LARGEST) + step))));
}
setSize(keptNumber(SIZE, LARGEST));
