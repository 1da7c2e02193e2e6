// The player of live sound by HLS, and how it asks for the list.

/** @import HlsPlayer, { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext } from "hls" */

const RETRY = 1500; // ms

/**
 * hls.js itself, asked for until it comes; null if it is not wanted any more.
 * @param {() => boolean} wanted
 * @returns {Promise<typeof HlsPlayer | null>}
 */
export async function loadPlayer(wanted) {
  for (let tries = 0; wanted(); tries += 1) {
    try {
      // A module that failed to load stays failed at its address: the mark makes it another one.
      const player = await import(tries ? `${import.meta.resolve("hls")}#${tries}` : "hls");
      return wanted() ? player.default : null;
    } catch (error) {
      console.info("hls", error.message);
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
  return null;
}

/**
 * @typedef {object} Lists
 * @property {() => string} now the address of the list at this moment
 * @property {(used: string) => void} refused says that an address opens nothing any more
 */

/**
 * A loader of hls.js that asks for the list at its address of the moment, so that nothing is loaded anew for a ticket.
 * @param {typeof HlsPlayer} Hls
 * @param {Lists} lists
 */
function listLoader(Hls, lists) {
  return class extends Hls.DefaultConfig.loader {
    /**
     * @override
     * @param {LoaderContext} context
     * @param {LoaderConfiguration} config
     * @param {LoaderCallbacks<LoaderContext>} callbacks
     */
    load(context, config, callbacks) {
      const url = lists.now();
      context.url = url;
      super.load(context, config, {
        ...callbacks,
        onError(error, ...more) {
          if (error.code >= 400 && error.code < 500) lists.refused(url);
          callbacks.onError(error, ...more);
        },
      });
    }
  };
}

/**
 * hls.js, close to live, and stubborn: a live room's playlist comes back.
 * @param {typeof HlsPlayer} Hls
 * @param {Lists} lists
 * @param {HTMLMediaElement} element
 * @param {() => boolean} wanted
 */
export function loadHls(Hls, lists, element, wanted) {
  const player = new Hls({
    pLoader: /** @type {HlsConfig["pLoader"]} */ (/** @type {unknown} */ (listLoader(Hls, lists))),
    liveSyncDurationCount: 2,
    liveMaxLatencyDurationCount: 6,
    maxLiveSyncPlaybackRate: 1.08,
    backBufferLength: 10,
    enableWorker: false,
    fragLoadPolicy: impatient(Hls.DefaultConfig.fragLoadPolicy),
    playlistLoadPolicy: impatient(Hls.DefaultConfig.playlistLoadPolicy),
  });
  player.on(Hls.Events.ERROR, (_name, error) => {
    if (!error.fatal || !wanted()) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) player.recoverMediaError();
    else setTimeout(() => wanted() && goOn(), RETRY);
  });
  // What loaded once goes on where it is: loading anew takes the sound out of the element, which then stands still.
  const goOn = () => (player.levels.length > 0 ? player.startLoad() : player.loadSource(lists.now()));
  // Also after a repair: by then the listener may have stopped.
  player.on(
    Hls.Events.MEDIA_ATTACHED,
    () => wanted() && element.play().catch((error) => console.info("play", error.name)),
  );
  player.loadSource(lists.now());
  player.attachMedia(element);
  return player;
}

/**
 * hls.js doubles its waits up to eight seconds, which would pass in silence after the site is back.
 * @param {HlsConfig["fragLoadPolicy"]} policies
 */
function impatient({ default: policy }) {
  return { default: { ...policy, errorRetry: policy.errorRetry && { ...policy.errorRetry, maxRetryDelayMs: 1000 } } };
}
