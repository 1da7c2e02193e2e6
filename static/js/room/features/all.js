// Every feature of a room. Their order is the order in which they follow, draw and begin. A new one is a line here.
import { sequencedOf, unsequencedOf } from "room/core/store";
import { bar } from "room/features/bar";
import { blocks } from "room/features/blocks";
import { captions } from "room/features/captions";
import { captionsHost } from "room/features/captions_host";
import { cardMutes } from "room/features/card_mutes";
import { cardRoles } from "room/features/card_roles";
import { cohosts } from "room/features/cohosts";
import { comingAndGoing } from "room/features/coming_and_going";
import { connection } from "room/features/connection";
import { devices } from "room/features/devices";
import { entryPolicy } from "room/features/entry_policy";
import { faces } from "room/features/faces";
import { follow } from "room/features/follow";
import { hands } from "room/features/hands";
import { heldMute } from "room/features/held_mute";
import { host } from "room/features/host";
import { hostHands } from "room/features/host_hands";
import { invitations } from "room/features/invitations";
import { invite } from "room/features/invite";
import { invited } from "room/features/invited";
import { keys } from "room/features/keys";
import { leaving } from "room/features/leaving";
import { lifetime } from "room/features/lifetime";
import { listeners } from "room/features/listeners";
import { listening } from "room/features/listening";
import { messages } from "room/features/messages";
import { microphone } from "room/features/microphone";
import { muteAll } from "room/features/mute_all";
import { panel } from "room/features/panel";
import { panelAudience } from "room/features/panel_audience";
import { panelClips } from "room/features/panel_clips";
import { panelHappened } from "room/features/panel_happened";
import { panelStage } from "room/features/panel_stage";
import { personCard } from "room/features/person_card";
import { quality } from "room/features/quality";
import { reactions } from "room/features/reactions";
import { recordingPause } from "room/features/recording_pause";
import { removal } from "room/features/removal";
import { report } from "room/features/report";
import { seats } from "room/features/seats";
import { share } from "room/features/share";
import { speakPolicy } from "room/features/speak_policy";
import { staff } from "room/features/staff";
import { title } from "room/features/title";
import { topic } from "room/features/topic";

export const features = /** @type {const} */ ([
  connection,
  blocks,
  lifetime,
  leaving,
  listeners,
  listening,
  microphone,
  heldMute,
  host,
  cohosts,
  recordingPause,
  entryPolicy,
  speakPolicy,
  captions,
  captionsHost,
  hands,
  panel,
  hostHands,
  invited,
  invite,
  invitations,
  muteAll,
  panelStage,
  panelAudience,
  panelClips,
  panelHappened,
  faces,
  seats,
  reactions,
  share,
  bar,
  keys,
  cardMutes,
  cardRoles,
  personCard,
  follow,
  messages,
  removal,
  report,
  devices,
  quality,
  comingAndGoing,
  title,
  topic,
  staff,
]);

/** @type {import("room/types").Sequenced} A sequenced event that no feature takes is a type error here. */
const sequenced = sequencedOf(features);

/** @type {import("room/types").Tables} */
export const tables = { sequenced, unsequenced: unsequencedOf(features) };
