// What a lock screen shows and what the keys of a headset do.

/**
 * @typedef {object} Described
 * @property {string} title
 * @property {string} host
 * @property {string} artwork an address
 */

/**
 * Describe what plays; a browser without media sessions is left as it is.
 * @param {Described} described
 * @param {Partial<Record<MediaSessionAction, MediaSessionActionHandler>>} handlers
 */
export function describe({ title, host, artwork }, handlers) {
  if (!("mediaSession" in navigator)) return;
  navigator.mediaSession.metadata = new MediaMetadata({
    title,
    artist: host,
    album: "Stamtafel",
    artwork: [{ src: artwork, sizes: "any", type: "image/svg+xml" }],
  });
  for (const [action, handler] of Object.entries(handlers)) {
    navigator.mediaSession.setActionHandler(/** @type {MediaSessionAction} */ (action), handler);
  }
}
