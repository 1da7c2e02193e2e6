// What the case page is made from.
import type { Peaks, Voice } from "replay/types";

/** What the server wrote into the page (moderation/console/case_page.py, review_page.py); times in seconds of room time. */
export interface CaseData {
  of: "case" | "review";
  case: number;
  reader: number;
  plays: boolean;
  open: boolean;
  from: number;
  to: number;
  all: number;
}

/** What can be played and drawn (moderation/console/case_evidence.py). */
export interface Drawn {
  kind: "mix" | "segments" | "nothing";
  live: boolean;
  duration_ms: number;
  /** Room time and length of each segment, in ms. */
  segments: [number, number][];
  peaks: Peaks;
  voices: (Voice & { colour: string })[];
}
