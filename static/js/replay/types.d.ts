// What the page of an ended room is made from.

/** A voice: a person with the seats in which they spoke. */
/** Ends of a range, in seconds of room time. */
export interface Ends {
  from: number;
  to: number;
}

export interface RangeOptions {
  /** Whether dragging over the waveform marks a range; where not, it moves the position. Its ends are dragged always. */
  marks: () => boolean;
  range: () => Ends | null;
  choose: (from: number, to: number) => void;
  /** Have a sentence read out. */
  tell: (text: string) => void;
}

export interface Voice {
  user: string;
  name: string;
  seats: number[];
}

/** What the server wrote into the page (pages/replay.py); empty when there is nothing to play. */
export interface ReplayData {
  slug: string;
  title: string;
  host: string;
  artwork: string;
  duration_ms: number | null;
  /** The address of `Peaks`, or nothing until they are drawn. */
  peaks: string | null;
  lanes: Voice[];
}

/** The waveform (rooms/recording/peaks.py): samples from -127 to 127, and when each seat talked, in ms. */
export interface Peaks {
  bin_ms: number;
  low: number[];
  high: number[];
  lanes: { seat: number; talks: [number, number][] }[];
}

/** A part of the recording, in seconds; `to` is null for a moment. `over`: it was played to its end. */
export interface Part {
  from: number;
  to: number | null;
  over?: boolean;
}

/** A line of the transcript, in seconds. */
export interface Line {
  element: HTMLElement;
  from: number;
  to: number;
  user: string;
}

/** A person's lane, with their turns as [from, to] in seconds. */
export interface Lane extends Voice {
  element: HTMLElement;
  talks: [number, number][];
}
