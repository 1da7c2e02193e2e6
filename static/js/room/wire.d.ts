// What travels to a room's page. Made by script/wire_types.py out of the vocabulary in Python: change it there, then
// run the script. script/check refuses a file that is not up to date.

/**
 * `room_opened`: the first event of every room.
 */
export type RoomOpened = Record<string, never>;

/**
 * `room_ended`: nothing comes after it. `ended_at` is ISO 8601 in UTC, as in snapshots.
 */
export interface RoomEnded {
  reason: string;
  ended_at: string | null;
}

/**
 * One occupied place, as everybody sees it. `picture` is an address or "", then initials stand on `color`. `held`:
 * host or co-host keep this microphone off. `captions_off`: what this person says is not written down.
 */
export interface SeatState {
  user: string;
  name: string;
  initials: string;
  picture: string;
  color: string;
  role: "host" | "cohost" | "speaker";
  place: number;
  muted: boolean;
  held: boolean;
  captions_off: boolean;
  connected: boolean;
}

/**
 * `seat_taken`: somebody sat down.
 */
export interface SeatTaken {
  seat: SeatState;
}

/**
 * `seat_left`: a place is free again. `user` is a handle.
 */
export interface SeatLeft {
  user: string;
  reason: string;
}

/**
 * `seat_muted`: a microphone was closed or opened; `by` is a helper's handle, null when the speaker did it. `held`
 * as in SeatState.
 */
export interface SeatMuted {
  user: string;
  muted: boolean;
  held: boolean;
  by: string | null;
}

/**
 * `seats_changed`: people on stage have another role and place, name or picture; `seats` has all of them, as they
 * are now. `host_name` as in RoomState: a host may have no seat.
 */
export interface SeatsChanged {
  seats: SeatState[];
  host_name: string;
}

/**
 * `host_changed`: the room has another host; `seats` as in SeatsChanged, `reason` as in HandOver. `host`, `former`
 * are handles. Rights may depend on whom the new host follows: clients ask for a snapshot.
 */
export interface HostChanged {
  host: string;
  former: string;
  reason: string;
  seats: SeatState[];
}

/**
 * `host_lost`: the host's connection is gone. Unless it comes back, the room ends at `ends_at` or, while there is
 * a co-host who can take it, is handed over at `hands_over_at`: one of the two is null. ISO 8601, UTC.
 */
export interface HostLost {
  lost_at: string | null;
  ends_at: string | null;
  hands_over_at: string | null;
}

/**
 * `host_back`: the host is there again, nothing ends.
 */
export type HostBack = Record<string, never>;

/**
 * `recording_paused`: nothing is kept from `paused_at` (ISO 8601, UTC) on; the room itself goes on.
 */
export interface RecordingPaused {
  paused_at: string | null;
  reason: "disk_full";
}

/**
 * `recording_resumed`: what is said is kept again.
 */
export type RecordingResumed = Record<string, never>;

/**
 * `entry_policy_set`: the host changed who may come in; `policy` is one of Room.EntryPolicy.
 */
export interface EntryPolicySet {
  policy: "anyone" | "signed_in" | "followers" | "invited";
}

/**
 * `speak_policy_set`: who may take a seat unasked; `policy` is one of Room.SpeakPolicy.
 */
export interface SpeakPolicySet {
  policy: "everyone" | "followed" | "invited";
}

/**
 * `hands_locked`: whether new hands are refused.
 */
export interface HandsLocked {
  locked: boolean;
}

/**
 * `captions_set`: whether what is said is written down, live and in the transcript that is kept.
 */
export interface CaptionsSet {
  on: boolean;
}

/**
 * `seat_captioned`: what this person (a handle) says is not written down (`off`), or is again. It is theirs alone
 * to say; where captions come on later in a room, they are off for whoever agreed to a recording without them.
 */
export interface SeatCaptioned {
  user: string;
  off: boolean;
}

/**
 * `language_set`: the language that is spoken in the room, in which captions hear it.
 */
export interface LanguageSet {
  language: string;
}

/**
 * `title_changed`: moderators took title and topic of the room down (`removed`), or put them back. A page shows
 * words of its own for a removed title; `title` has them in the language of the room.
 */
export interface TitleChanged {
  title: string;
  topic: string;
  removed: boolean;
}

/**
 * Lossy: how many listen, at most once a second a room.
 */
export interface Count {
  type: "count";
  listening: number;
}

/**
 * Lossy, from the media supervisor: a microphone's level rose above or fell below speech.
 */
export interface Talking {
  type: "talking";
  user: string;
  talking: boolean;
}

/**
 * Lossy: a person on stage lost or regained the connection (their seat stays for a while).
 */
export interface Connected {
  type: "connected";
  user: string;
  connected: boolean;
}

/**
 * Lossy, from the media supervisor: everybody connects their sound anew.
 */
export interface MediaRestarted {
  type: "media_restarted";
}

/**
 * Lossy: how often people reacted since the last one, at most once a second a room. `counts` is by kind and, within
 * a kind, by skin tone ("0" to "5").
 */
export interface Reactions {
  type: "reactions";
  counts: Record<string, Record<string, number>>;
}

/**
 * Every 5 s: a client whose `seq` is lower missed something and asks for a snapshot. `list` is an address of the
 * live list that any cache may serve, for a minute; None where the room is not open to anyone.
 */
export interface Beat {
  type: "beat";
  seq: number;
  listening: number;
  now: string;
  list: string | null;
}

/**
 * Lossy: a line of live captions as it is now; a later one with the same `line` replaces it. `person` is the handle
 * of who says it, `line` a number that rises within the room. `confirmed` has words that never change any more, each
 * with its beginning and end; `draft` is what may come next, and may change. After `final` nothing is added. All times
 * are milliseconds of room time, `at` is the line's beginning.
 */
export interface Caption {
  type: "caption";
  person: string;
  line: number;
  confirmed: [string, number, number][];
  draft: string;
  final: boolean;
  at: number;
}

/**
 * Lossy: how live captions are written. "slow": later than usual; "drafts_off": only what is confirmed, at pauses;
 * "off": not now. With a `person` (a handle) it is about what that person says, else about the room.
 */
export interface CaptionsState {
  type: "captions_state";
  state: "on" | "slow" | "drafts_off" | "off";
  person: string | null;
}

/**
 * `hand_raised`, to the host's side: somebody asks to speak, as the last in the queue. `raised_at` (ISO 8601, UTC)
 * names the hand; `invited` says that this person accepted an invitation to speak. The others as in SeatState.
 */
export interface HandRaised {
  user: string;
  name: string;
  initials: string;
  picture: string;
  color: string;
  raised_at: string;
  invited: boolean;
}

/**
 * `hand_lowered`, to the host's side: this hand is down, whatever the reason. Messages may arrive in either order:
 * one about a later `raised_at` of the same person is about a later hand.
 */
export interface HandLowered {
  user: string;
  raised_at: string;
}

/**
 * `removed`, to the host's side: this person is out of the room. Both are handles.
 */
export interface Removed {
  user: string;
  by: string;
}

/**
 * `removal_undone`, to the host's side: this person may come in again. Both are handles.
 */
export interface RemovalUndone {
  user: string;
  by: string;
}

/**
 * `quality`, to the host's side: how good the connection of a person on stage is, as their page measured it. Said
 * again every 20 s while it is not good; what is not said again for long is over. `user` is a handle.
 */
export interface Quality {
  user: string;
  level: "good" | "weak" | "bad";
}

/**
 * `invitation`, to the host's side: an invitation by host or co-host, as it is now. `user` and `by` are handles;
 * `came` says whether the person has come in since. The others as in SeatState. After an act that made many, only some
 * are told: a snapshot has them.
 */
export interface Invitation {
  id: number;
  user: string;
  name: string;
  initials: string;
  picture: string;
  color: string;
  kind: "speak" | "listen";
  state: "pending" | "accepted" | "declined" | "revoked" | "expired";
  by: string;
  came: boolean;
}

/**
 * `personal_link`, to the host's side: a link for one person without an account, as it is now; never its address.
 * `label` is how the host's side calls the person.
 */
export interface PersonalLink {
  id: number;
  label: string;
  state: "open" | "used" | "revoked" | "expired";
}

/**
 * `talk_time`, to the host's side: how long people on stage have spoken in this room, in milliseconds by handle.
 * Comes every 5 s while somebody talks, from the media supervisor.
 */
export interface TalkTime {
  talked: Record<string, number>;
}

/**
 * `caption_language`, to the host's side: live captions hear another language (`heard`) than the room was opened
 * in (`expected`), so that what they write is a translation at best. Both are codes ("nl"). Said once for each.
 */
export interface CaptionLanguage {
  heard: string;
  expected: string;
}

/**
 * `report_received`, to staff: a report arrived. Nothing of it but whether it is `urgent`, and the key of its
 * `case`. `room` is the slug of the room it is about, "" where it is about none, or that is not said.
 */
export interface ReportReceived {
  urgent: boolean;
  case?: number;
}

/**
 * `case_changed`, to staff: somebody claimed, decided or otherwise changed the case with this key. `room` as for
 * `report_received`. Who did what is read from the case.
 */
export interface CaseChanged {
  case: number;
}

/**
 * On a person's own channel: one of PERSONAL. `room` is the slug it is about, `by` a handle, null for oneself.
 *
 * `page` names the page whose microphone was lost, or the one that holds it now; empty for none. `held` (you_muted):
 * the microphone stays off until host or co-host lift that. `seated` (you_demoted): a speaker's place was free.
 * `raised_at` names the hand that is up (`hand_up`, `hand_place`) or down (`hand_down`, `hand_declined`, by
 * `outcome`); `place` is its place in the queue, from 1, and only ever gets smaller. `let_up` comes with a seat that
 * host or co-host (`by`) gave. `user` is the handle of a person on stage whom the reader blocked (`blocked_here`).
 * `invited` is about a room to which `by` invited the reader, `invitation_revoked` about one to speak that was taken
 * back. `unseen` is what the reader chose for this room. `audience` says that a listener whom the reader may see chose
 * to be seen, or no longer to be.
 */
export interface Personal {
  type: "you_muted" | "unmute_asked" | "you_unseated" | "you_demoted" | "mic_lost" | "mic_moved" | "blocked_here" | "hand_up" | "hand_place" | "hand_down" | "hand_declined" | "let_up" | "invited" | "invitation_revoked" | "unseen" | "audience";
  room: string;
  by?: string | null;
  page?: string;
  held?: boolean;
  seated?: boolean;
  raised_at?: string;
  place?: number;
  outcome?: string;
  user?: string;
  unseen?: boolean;
}

/**
 * The room itself. Moments are ISO 8601 in UTC; `recorded_days` is how long the copy is kept. `host` is a handle,
 * `host_name` the display name: a host may have no seat. `starts_at`, `starts_zone` (IANA) and `starts_wall`
 * (YYYY-MM-DDTHH:MM in that zone) are null or "" for a room that was not prepared before. `title_removed`: moderators
 * removed title and topic. `title` says so, in an answer to a request in its language; a page has words of its own.
 */
export interface RoomState {
  slug: string;
  title: string;
  title_removed: boolean;
  topic: string;
  language: string;
  status: string;
  starts_at: string | null;
  starts_zone: string;
  starts_wall: string;
  cancelled_at: string | null;
  cancel_reason: string;
  started_at: string | null;
  ended_at: string | null;
  end_reason: string;
  speak_policy: "everyone" | "followed" | "invited";
  entry_policy: "anyone" | "signed_in" | "followers" | "invited";
  hands_locked: boolean;
  max_speakers: number;
  recorded_days: number;
  transcription: boolean;
  host: string;
  host_name: string;
  host_lost_at: string | null;
  host_ends_at: string | null;
  host_hands_over_at: string | null;
  recording_paused_at: string | null;
}

/**
 * Rights of the reader. `take_seat` is the right to a place, whether or not one is free this second or consent was
 * given: those two change meanwhile, and the client sees both (`seats`, `consented`).
 *
 * `never_speak` keeps the reader off the stage under every speak policy; `speak_under` lists the policies that admit
 * them: with both, clients follow a change of policy by themselves. `manage` are the powers of host and co-hosts.
 */
export interface May {
  take_seat: boolean;
  why_not: string | null;
  never_speak: string | null;
  speak_under: string[];
  manage: boolean;
  end: boolean;
}

/**
 * The reader. `user` is null for somebody who is not signed in; `captions_off`: what they say is not written down.
 * `parts` come from `rooms.hooks.personal_parts`.
 */
export interface You {
  user: string | null;
  may: May;
  consented: boolean;
  captions_off: boolean;
  parts: Record<string, unknown>;
}

/**
 * `type` is "snapshot"; `seq` is the last event that is in it.
 *
 * `parts` has what apps register with `rooms.hooks.snapshot_parts`, by its name there; it is the same for everybody.
 */
export interface Snapshot {
  type: "snapshot";
  seq: number;
  room: RoomState;
  seats: SeatState[];
  listening: number;
  you: You;
  parts: Record<string, unknown>;
  now: string;
}

/**
 * The reader's hand while it is up, as in Personal.
 */
export interface OwnHand {
  raised_at: string;
  place: number;
}

/**
 * Part `hands` of `You.parts`: `own` is the reader's hand, null while it is down. Host and co-hosts get the `queue`
 * (its first 100) and the `count` of all; others null.
 */
export interface Hands {
  queue: HandRaised[] | null;
  count: number | null;
  own: OwnHand | null;
}

/**
 * The reader's invitation by host or co-host that stands. `by` is a handle.
 */
export interface OwnInvitation {
  by: string;
  by_name: string;
  kind: "speak" | "listen";
  state: "pending" | "accepted";
}

/**
 * How many people came in by the invitations and the shared link of one person. `by` is a handle.
 */
export interface InvitationCount {
  by: string;
  name: string;
  came: number;
}

/**
 * Part `invitations` of `You.parts`: `own` as above, null for none. Host and co-hosts get the `list` of invitations
 * by their side (to speak first, then the newest, 200 at most), the personal `links` and the `counts` by inviter (50
 * at most, most first); others null.
 */
export interface Invitations {
  own: OwnInvitation | null;
  list: Invitation[] | null;
  links: PersonalLink[] | null;
  counts: InvitationCount[] | null;
}

/**
 * Something that happened in the room, for the host's side. `type` is that of its event, for a change of role
 * "cohost_named" or "cohost_ended"; `at` is room time in milliseconds. `user` and `by` are handles, `name` and
 * `by_name` how they are called; `detail` is what the event says beside: a policy, a reason, "on" or "off".
 */
export interface Happened {
  seq: number;
  at: number;
  type: string;
  user: string | null;
  name: string;
  by: string | null;
  by_name: string;
  detail: string;
}

/**
 * Part `panel` of `You.parts`, null for all but host and co-hosts: milliseconds spoken by the handle of a person on
 * stage, and the last of what happened, oldest first.
 */
export interface Panel {
  talked: Record<string, number>;
  happened: Happened[];
}

/**
 * Part `captions` of `Snapshot.parts`: how live captions are written now, the handles of people whose words are not
 * written for lack of time (`without`), and the last lines, oldest first. Registered by an app above.
 */
export interface Captions {
  state: "on" | "slow" | "drafts_off" | "off";
  without: string[];
  lines: Caption[];
}

/**
 * Part `staff` of `You.parts`, for staff who may see cases and are no party; null for everybody else. Registered
 * with `rooms.hooks.personal_parts` by an app above.
 *
 * `case` is the address of the page of the room's open case, null where it has none. `report_count` counts the reports
 * in it. `end_url` ends the room at once by a POST with the token against forged requests; it answers with JSON:
 * `url`, where rule and facts are written down, or `error` (`code`, `text`).
 */
export interface StaffPart {
  case: string | null;
  report_count: number;
  may_end: boolean;
  end_url: string;
}

/** The data of each sequenced event, by its type. */
export interface EventData {
  room_opened: RoomOpened;
  room_ended: RoomEnded;
  seat_taken: SeatTaken;
  seat_left: SeatLeft;
  seat_muted: SeatMuted;
  seats_changed: SeatsChanged;
  host_changed: HostChanged;
  host_lost: HostLost;
  host_back: HostBack;
  recording_paused: RecordingPaused;
  recording_resumed: RecordingResumed;
  entry_policy_set: EntryPolicySet;
  speak_policy_set: SpeakPolicySet;
  hands_locked: HandsLocked;
  captions_set: CaptionsSet;
  seat_captioned: SeatCaptioned;
  language_set: LanguageSet;
  title_changed: TitleChanged;
}

/** A sequenced event. `at` is room time in milliseconds. */
export type Event = {
  [Type in keyof EventData]: { seq: number; type: Type; at: number; data: EventData[Type] };
}[keyof EventData];

export type Lossy = Count | Talking | Connected | MediaRestarted | Reactions | Beat | Caption | CaptionsState;

/** The data of each message to the host's side or to staff, by its type. */
export interface SidedData {
  hand_raised: HandRaised;
  hand_lowered: HandLowered;
  removed: Removed;
  removal_undone: RemovalUndone;
  quality: Quality;
  invitation: Invitation;
  personal_link: PersonalLink;
  talk_time: TalkTime;
  caption_language: CaptionLanguage;
  report_received: ReportReceived;
  case_changed: CaseChanged;
}

/** A message to the host's side of the room with this slug, or to staff. */
export type Sided = {
  [Type in keyof SidedData]: { type: Type; room: string; data: SidedData[Type] };
}[keyof SidedData];

export type Message = Snapshot | Event | Lossy | Personal | Sided;

/** The arguments of each verb, by its name. */
export interface Verbs {
  consent: { version: string };
  take_seat: Record<string, never>;
  leave_seat: Record<string, never>;
  mute: { user?: string };
  unmute: { user?: string };
  mute_all: Record<string, never>;
  hold_mute: { user: string };
  lift_mute: { user: string };
  ask_unmute: { user: string };
  name_cohost: { user: string };
  demote: { user: string };
  hand_over: { user: string };
  unseat: { user: string };
  remove: { user: string };
  undo_removal: { user: string };
  speak_claim: { take?: boolean };
  speak_stop: Record<string, never>;
  set_entry_policy: { policy: "anyone" | "signed_in" | "followers" | "invited" };
  set_speak_policy: { policy: "everyone" | "followed" | "invited" };
  set_captions: { on: boolean };
  own_captions: { off: boolean; user?: string };
  set_language: { language: "en" | "nl" };
  raise_hand: Record<string, never>;
  lower_hand: Record<string, never>;
  let_up: { user?: string };
  decline_hand: { user: string };
  lock_hands: { locked: boolean };
  invite: { users: string[]; kind: "speak" | "listen" };
  accept_invitation: Record<string, never>;
  decline_invitation: Record<string, never>;
  revoke_invitation: { invitation: number };
  make_link: { label: string };
  revoke_link: { link: number };
  share_link: Record<string, never>;
  end: Record<string, never>;
  quality: { level: "good" | "weak" | "bad" };
  react: { kind: "clap" | "heart" | "laugh" | "thumbs_up" | "hundred" | "high_five" | "wave" | "party" | "wow" | "fire"; tone?: number; behind?: number };
  listen_unseen: { unseen: boolean };
  leave: Record<string, never>;
  snapshot: Record<string, never>;
  ping: Record<string, never>;
  speak_offer: { sdp?: unknown };
  candidate: { handle?: unknown; candidate?: unknown };
  listen: Record<string, never>;
  listen_answer: { sdp?: unknown };
  listen_stop: Record<string, never>;
  check_offer: { sdp?: unknown };
  check_stop: Record<string, never>;
  ice: Record<string, never>;
}
