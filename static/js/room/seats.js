// The chairs around the table, one element a person: who stays seated keeps the element, with its ring and focus.
import { isolated, labels } from "names";
import { chairs } from "room/state";
import { say } from "room/words";

const SVG = "http://www.w3.org/2000/svg";

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Fills an avatar: the picture, or initials on the person's colour. */
export function drawAvatar(avatar, { picture, initials, color }) {
  avatar.dataset.colour = color;
  if (picture) {
    const image = avatar.querySelector("img") ?? new Image();
    if (image.getAttribute("src") !== picture) image.src = picture;
    image.alt = "";
    avatar.replaceChildren(image);
  } else avatar.textContent = initials;
}

/** What a screen reader says of a seat; `label` is the name, told apart from others like it. */
function sentence(seat, label, talking) {
  const role = seat.role === "speaker" ? [] : [say(seat.role)];
  const now = !seat.connected ? "away" : seat.muted ? "mic_off" : talking ? "talking" : "mic_on";
  return [isolated(label), ...role, say(now)].join(", ");
}

function badge(seat) {
  if (!seat.connected) return "lost";
  return seat.muted ? "mic-off" : "mic";
}

function makeSeat(seat) {
  const item = make("li", "seat");
  item.dataset.user = seat.user;
  const who = make("a", "seat-who");
  who.href = `/people/${encodeURIComponent(seat.user)}/`;
  const avatar = make("span", "avatar");
  avatar.setAttribute("aria-hidden", "true");
  avatar.dir = "auto";
  const mic = make("span", "seat-mic");
  mic.setAttribute("aria-hidden", "true");
  mic.append(icon("mic-off"));
  who.append(avatar, make("span", "unseen"), mic);
  const name = make("span", "seat-name");
  name.setAttribute("aria-hidden", "true");
  name.dir = "auto";
  item.append(who, name);
  return item;
}

function drawRole(item, role) {
  const old = item.querySelector(".seat-role");
  if (role === "speaker") return old?.remove();
  const element = old ?? item.appendChild(make("span", "seat-role"));
  element.setAttribute("aria-hidden", "true");
  element.textContent = say(role);
}

function drawSeat(item, seat, { label, talking, isYou }) {
  item.classList.toggle("open", !seat.muted);
  item.classList.toggle("away", !seat.connected);
  item.classList.toggle("you", isYou);
  item.classList.toggle("talking", talking);
  drawAvatar(item.querySelector(".avatar"), seat);
  item.querySelector(".unseen").textContent = sentence(seat, label, talking);
  item.querySelector(".seat-mic use").setAttribute("href", `#i-${badge(seat)}`);
  item.querySelector(".seat-name").textContent = isYou ? say("you") : seat.name.split(/\s+/)[0];
  drawRole(item, seat.role);
}

function freeChair() {
  const item = make("li", "seat free");
  item.setAttribute("aria-hidden", "true");
  item.append(icon("plus"));
  return item;
}

export class Seats {
  #list;

  /** `open(handle)` is called for a person's card, `sit()` for a free chair that one may take. */
  constructor(list, { open, sit }) {
    this.#list = list;
    list.addEventListener("click", (event) => {
      const item = event.target.closest(".seat");
      if (!item || event.metaKey || event.ctrlKey) return;
      if (item.classList.contains("free")) sit();
      else if (event.target.closest(".seat-who")) {
        event.preventDefault();
        open(item.dataset.user);
      }
    });
  }

  draw(state) {
    const { count, chairs: all } = chairs(state);
    this.#list.dataset.chairs = count;
    const seated = new Map([...this.#list.querySelectorAll("[data-user]")].map((item) => [item.dataset.user, item]));
    const free = [...this.#list.querySelectorAll(".free")];
    const called = labels(state.seats);
    const items = all.map(({ at, seat }) => {
      const item = seat ? (seated.get(seat.user) ?? makeSeat(seat)) : (free.pop() ?? freeChair());
      item.dataset.at = at;
      const talking = seat && state.talking.has(seat.user);
      if (seat) drawSeat(item, seat, { label: called.get(seat.user), talking, isYou: seat.user === state.you.user });
      return item;
    });
    this.#arrange(items);
  }

  /** Only what is in the wrong place moves: moving an element takes its focus. */
  #arrange(items) {
    const wanted = new Set(items);
    for (const old of [...this.#list.children]) if (!wanted.has(old)) old.remove();
    items.forEach((item, n) => {
      if (this.#list.children[n] !== item) this.#list.insertBefore(item, this.#list.children[n] ?? null);
    });
  }

  /** The rings follow what is heard: `levelOf` gives a handle's level from 0 to 1, or null for a steady ring. */
  ring(levelOf) {
    for (const item of this.#list.querySelectorAll(".talking")) {
      const level = levelOf(item.dataset.user);
      if (level === null) item.style.removeProperty("--level");
      else item.style.setProperty("--level", level.toFixed(2));
    }
  }
}
