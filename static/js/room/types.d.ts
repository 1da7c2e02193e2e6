// The shapes that the room page's own parts agree on. What travels is in wire.d.ts, which is generated.
import type { Room } from "room/core/room";
import type {
  Caption,
  CaptionsState,
  Event,
  EventData,
  Lossy,
  Personal,
  Quality,
  SeatState,
  Sided,
  Snapshot,
  Verbs,
} from "room/wire";

export type Level = Quality["level"];
export type Poor = Exclude<Level, "good">;

/**
 * What is known of the room: the last snapshot with all that came since, who talks (handles; lossy), and for host and
 * co-hosts whose connection is not good (by handle; lossy); and the last lines of live captions.
 */
export interface State extends Omit<Snapshot, "type" | "now"> {
  talking: ReadonlySet<string>;
  quality: ReadonlyMap<string, Poor>;
  captions: Lines;
}

/** How captions are written now, the handles of people whose words are not for lack of time, and the last lines. */
export interface Lines {
  level: CaptionsState["state"];
  without: ReadonlySet<string>;
  lines: readonly Caption[];
}

/** How a person is shown who need not have a seat. */
export type Face = Pick<SeatState, "user" | "name" | "initials" | "picture" | "color">;

/** What the page tells itself, beside what travels: the reader agreed to being recorded. */
export interface Consented {
  type: "consented";
}

/** These people (handles) are no longer known to talk: nothing was heard of it for a while. */
export interface Silent {
  type: "silent";
  users: string[];
}

/** The reader chose how to listen to this room. */
export interface Chosen {
  type: "chosen";
  unseen: boolean;
}

/** The reader, who need not sit, wants what they say written down no more (`off`), or again. */
export interface OwnCaptions {
  type: "own_captions";
  off: boolean;
}

export type OwnMessage = Consented | Silent | Chosen | OwnCaptions;

/** A change of state for each sequenced event. Sets values and adds to none: an event may be in a snapshot already. */
export type Sequenced = { [Type in keyof EventData]: (state: State, data: EventData[Type], at: number) => State };

/** A change of state for messages that have no place in the sequence. */
export type Unsequenced = {
  [Message in Lossy | Sided | Unread | OwnMessage as Message["type"]]?: (state: State, message: Message) => State;
};

/** On the person's own channel, wherever they are (social/wire.py): how many messages they have not read. */
export interface Unread {
  type: "unread";
  messages: number;
  at: number;
}

/** The reducers of all features. */
export interface Tables {
  sequenced: Sequenced;
  unsequenced: Unsequenced;
}

/** What follows a verb: its arguments, which may be left out where it needs none, and for how long to wait, in ms. */
type Asked<Verb extends keyof Verbs> = Verb extends unknown
  ? Record<never, never> extends Verbs[Verb]
    ? [values?: Verbs[Verb], wait?: number]
    : [values: Verbs[Verb], wait?: number]
  : never;

/** Asks the server for something by name. Rejects with a Refused. */
// biome-ignore lint/suspicious/noExplicitAny: each verb has a reply of its own
export type Ask = <Verb extends keyof Verbs>(verb: Verb, ...asked: Asked<Verb>) => Promise<any>;

/** What is so on this page alone. */
export interface Local {
  /** The audience's sound: off, starting, playing, blocked (the browser wants a click). */
  sound: string;
  /** The speaker's: off, opening, on. */
  stage: string;
  /** The microphone was closed here, also if the server does not know it yet. */
  shut: boolean;
  /** Another page of this person has their microphone: this one stays quiet until it is taken over. */
  elsewhere: boolean;
  /** The line to the room is lost, and is being made again. */
  lost: boolean;
  /** The code for which the server put this page out of the room. */
  out: string | null;
}

/** What the bar shows: controls by name, a hint in place of a main one, and whether a free chair may be taken. */
export interface Controls {
  shown: string[];
  hint: string | null;
  maySit: boolean;
}

/** What the server wrote into the page. */
export interface PageData {
  slug: string;
  title: string;
  host: string;
  /** Version of the text that one agrees to before speaking. */
  consent: string;
  /** Whether single keys do acts; null where the browser keeps the choice. */
  keys: boolean | null;
  /** How many listeners are drawn as figures. */
  standing: number;
  artwork: string;
  /** Whether the reader listens in as staff: the room does not know them. */
  staff: boolean;
}

/** A feature on the page. Every part is optional. */
export interface Mounted {
  /** Once the line is open for the first time, and again when the browser shows a kept page. */
  begin?(): void;
  /** Draw what is so now; called often, so it touches only what differs. */
  draw?(state: State, controls: Controls): void;
  /** What follows from a new state, beside drawing. */
  follow?(state: State, before: State): void;
  /** What is done when such a message arrives, before the state changes; personal ones only if they are about this room. */
  messages?: { [Message in Event | Lossy | Personal | Sided as Message["type"]]?: (message: Message) => void };
  /** What a control of the bar does, by its name (`data-do`). */
  actions?: Record<string, () => unknown>;
  /** Controls of its own that the bar shows now. */
  controls?(state: State, local: Local): string[];
  /** A hint that the bar shows now in place of its own; null for none. */
  hint?(state: State, local: Local): string | null;
}

/** One thing that a room can do. `reduce` and `unsequenced` are pure; only `mount` touches the page. */
export interface Feature {
  reduce?: Partial<Sequenced>;
  unsequenced?: Unsequenced;
  mount?(room: Room): Mounted;
}

type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

type TableOf<One> = One extends { reduce: infer Table } ? Table : never;

/** All reducers of some features in one table. */
export type ReducersOf<All extends readonly Feature[]> = Intersection<TableOf<All[number]>>;
