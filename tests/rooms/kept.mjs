// Keeps a choice, a number and a list in a browser that keeps them, in one that forbids it, and in one that is full;
// writes what is read after.
import "./import_map.mjs";

const { keepChoice, keepList, keepNumber, keptChoice, keptList, keptNumber } = await import("shared/kept");
console.info = () => {}; // stdout is for the answer

const values = new Map();
const works = {
  getItem: (key) => values.get(key) ?? null,
  setItem: (key, value) => values.set(key, value),
};
const throws = () => {
  throw new DOMException("no", "SecurityError");
};
const browsers = { works: () => works, full: () => ({ ...works, setItem: throws }), blocked: throws };

const read = {};
for (const [name, get] of Object.entries(browsers)) {
  for (const storage of ["localStorage", "sessionStorage"])
    Object.defineProperty(globalThis, storage, { get, configurable: true });
  values.clear();
  const before = [keptChoice("choice", true), keptChoice("choice", false)];
  keepChoice("choice", false);
  const off = keptChoice("choice", true);
  keepChoice("choice", true);
  const choices = [...before, off, keptChoice("choice", false)];
  keepNumber("number", 4);
  const numbers = [keptNumber("number", 5), keptNumber("number", 3), keptNumber("choice", 5), keptNumber("none", 5)];
  const none = keptList("list");
  keepList("list", new Set(["a", "b"]));
  const list = keptList("list");
  values.set("list", '{"not":"ours"}');
  const others = keptList("list");
  values.set("list", "[1,");
  read[name] = { choices, numbers, lists: [none, list, others, keptList("list")] };
}
process.stdout.write(JSON.stringify(read));
