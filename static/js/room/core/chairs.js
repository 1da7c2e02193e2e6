// The order of the chairs around the table. Pure; pages/seating.py does the same for the first paint, and
// tests/pages/test_seating.py compares the two.

/** @import { SeatState } from "room/wire" */

/**
 * Every chair as {at, place, seat}: host, co-hosts, speakers by place, then the free ones. `at` counts clockwise from
 * the head of the table; co-hosts sit on both sides of the host, speakers right and left in turn.
 * @param {SeatState[]} seats
 * @param {number} maxSpeakers
 */
export function chairs(seats, maxSpeakers) {
  const byPlace = new Map(seats.map((seat) => [seat.place, seat]));
  const cohosts = [11, 12].filter((place) => byPlace.has(place));
  const count = 1 + cohosts.length + maxSpeakers;
  const all = [{ at: 0, place: 0 }];
  cohosts.forEach((place, n) => all.push({ at: n === 0 ? 1 : count - 1, place }));
  const right = cohosts.length > 0 ? 2 : 1;
  const left = cohosts.length > 1 ? count - 2 : count - 1;
  for (let place = 1; place <= maxSpeakers; place += 1) {
    const half = Math.floor(place / 2);
    all.push({ at: place % 2 === 1 ? right + half : left - half + 1, place });
  }
  const seated = all.map((chair) => ({ ...chair, seat: byPlace.get(chair.place) ?? null }));
  return { count, chairs: [...seated.filter((one) => one.seat), ...seated.filter((one) => !one.seat)] };
}
