// How good a connection is, from WebRTC's own statistics of both directions. Pure: no DOM, no network.

/** @import { Level } from "room/types" */

/**
 * What was counted until now. `sent` and `lost` are packets of our voice, `received` and `missed` of the others';
 * `roundTrip` and `jitter` (the worse of both directions) are seconds.
 * @typedef {{ sent: number, lost: number, received: number, missed: number, roundTrip: number, jitter: number }} Sample
 */

/** From what on a connection is bad or weak: a share of the packets, and seconds. */
const LIMITS = {
  bad: { loss: 0.1, roundTrip: 1, jitter: 0.15 },
  weak: { loss: 0.03, roundTrip: 0.4, jitter: 0.05 },
};
const FEWEST = 20; // packets, of which a share says something
/** @type {Level[]} */
const ORDER = ["good", "weak", "bad"];

/**
 * @param {Iterable<any>} stats what `RTCPeerConnection.getStats` has: its values
 * @returns {Sample}
 */
export function sampleOf(stats) {
  const sample = { sent: 0, lost: 0, received: 0, missed: 0, roundTrip: 0, jitter: 0 };
  for (const one of stats) {
    if (one.type === "outbound-rtp") sample.sent += one.packetsSent ?? 0;
    if (one.type === "remote-inbound-rtp") sample.lost += one.packetsLost ?? 0;
    if (one.type === "inbound-rtp") {
      sample.received += one.packetsReceived ?? 0;
      sample.missed += one.packetsLost ?? 0;
    }
    const trip = one.type === "candidate-pair" && one.nominated ? one.currentRoundTripTime : one.roundTripTime;
    sample.roundTrip = Math.max(sample.roundTrip, trip ?? 0);
    sample.jitter = Math.max(sample.jitter, one.jitter ?? 0);
  }
  return sample;
}

/**
 * @param {number} lost
 * @param {number} all
 */
function share(lost, all) {
  return all < FEWEST ? 0 : Math.max(0, lost) / all;
}

/**
 * The level of the time between two samples of one connection; null where they are of two.
 * @param {Sample} before
 * @param {Sample} now
 * @returns {Level | null}
 */
export function levelOf(before, now) {
  const [sent, received] = [now.sent - before.sent, now.received - before.received];
  if (sent < 0 || received < 0) return null;
  const missed = now.missed - before.missed;
  const loss = Math.max(share(now.lost - before.lost, sent), share(missed, received + missed));
  const isDeaf = before.received > 0 && received === 0 && sent >= FEWEST; // the mix never pauses
  const { roundTrip, jitter } = now;
  const exceeds = (/** @type {typeof LIMITS.bad} */ limit) =>
    loss >= limit.loss || roundTrip >= limit.roundTrip || jitter >= limit.jitter;
  if (isDeaf || exceeds(LIMITS.bad)) return "bad";
  return exceeds(LIMITS.weak) ? "weak" : "good";
}

/**
 * What to say after two measurements in a row: a change counts when both of them are on its side.
 * @param {Level} said
 * @param {Level} last
 * @param {Level} now
 * @returns {Level}
 */
export function settled(said, last, now) {
  const [at, low, high] = [ORDER.indexOf(said), ...[ORDER.indexOf(last), ORDER.indexOf(now)].toSorted((a, b) => a - b)];
  if (low > at) return ORDER[low];
  return high < at ? ORDER[high] : said;
}
