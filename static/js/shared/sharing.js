// Handing an address on: by the device's own sheet, else by the clipboard.

/**
 * Whether the device has a sheet for it.
 * @returns {boolean}
 */
export const hasShareSheet = () => "share" in navigator;

/**
 * Hand an address on; resolves to what came of it. Call it in the click itself: browsers ask for that.
 * @param {string} title
 * @param {string} url
 * @returns {Promise<"shared" | "copied" | "stopped" | "failed">} `stopped` by the person
 */
export async function handOn(title, url) {
  if (!hasShareSheet()) return copy(url);
  try {
    await navigator.share({ title, url });
    return "shared";
  } catch (error) {
    return error.name === "AbortError" ? "stopped" : "failed";
  }
}

/**
 * Copy a text.
 * @param {string} text
 * @returns {Promise<"copied" | "failed">}
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch (error) {
    console.info("clipboard", error.name);
    return "failed";
  }
}
