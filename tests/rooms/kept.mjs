// Keeps a choice in a browser that keeps it, in one that forbids it, and in one that is full; writes what is read after.
import "./import_map.mjs";

const { keepChoice, keptChoice } = await import("shared/kept");
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
  Object.defineProperty(globalThis, "localStorage", { get, configurable: true });
  values.clear();
  const before = [keptChoice("choice", true), keptChoice("choice", false)];
  keepChoice("choice", false);
  const off = keptChoice("choice", true);
  keepChoice("choice", true);
  read[name] = [...before, off, keptChoice("choice", false)];
}
process.stdout.write(JSON.stringify(read));
