// What screen readers read out ([data-notice], a status) where the line itself is not seen: for what one sees anyway.

/** @param {string} text */
export function announce(text) {
  const line = document.querySelector("[data-notice]");
  if (!line) return;
  line.textContent = "";
  requestAnimationFrame(() => (line.textContent = text));
}
