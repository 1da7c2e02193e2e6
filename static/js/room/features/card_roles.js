// The roles that a host gives from a card: co-host and no longer that, and the room itself. Each asks first.
import { CardActs } from "room/core/card";
import { confirmed } from "room/core/question";
import { freePlaces } from "room/core/state";
import { say } from "shared/words";

/** @import { Room } from "room/core/room" */

const MOST_COHOSTS = 2; // rooms/rules/permissions.py

/**
 * @param {Room} room
 * @param {string} user
 * @param {string} name
 */
async function nameCohost(room, user, name) {
  const cohosts = room.state.seats.filter((seat) => seat.role === "cohost").length;
  const words = { title: say("cohost_title", { name }), text: say("cohost_may"), yes: say("cohost_yes") };
  // Without a place the server says so at once, and nothing is asked.
  if (cohosts < MOST_COHOSTS && !(await confirmed(words))) return;
  await room.attempt(() => room.ask("name_cohost", { user }));
}

/**
 * @param {Room} room
 * @param {string} user
 * @param {string} name
 */
async function demote(room, user, name) {
  const who = user === room.state.you.user ? "you" : "them";
  const then = freePlaces(room.state) > 0 ? "speaker" : "audience";
  const title = say(`demote_title_${who}`, { name });
  const agreed = await confirmed({ title, text: say(`demote_${who}_${then}`, { name }), yes: say("demote_yes") });
  if (agreed) await room.attempt(() => room.ask("demote", { user }));
}

/**
 * @param {Room} room
 * @param {string} user
 * @param {string} name
 */
async function handOver(room, user, name) {
  const title = say("hand_over_title", { name });
  const agreed = await confirmed({ title, text: say("hand_over", { name }), yes: say("hand_over_yes"), isGrave: true });
  if (agreed) await room.attempt(() => room.ask("hand_over", { user }));
}

/** @satisfies {import("room/types").Feature} */
export const cardRoles = {
  mount(room) {
    if (room.state.you.user === null) return {};
    return new CardActs(room, {
      name_cohost: {
        fits: ({ role }, { you }) => you.may.end && role === "speaker",
        run: (user, name) => nameCohost(room, user, name),
      },
      demote: {
        fits: ({ role, user }, { you }) => role === "cohost" && (you.may.end || user === you.user),
        run: (user, name) => demote(room, user, name),
      },
      hand_over: {
        fits: ({ role }, { you }) => you.may.end && role === "cohost",
        run: (user, name) => handOver(room, user, name),
      },
    });
  },
};
