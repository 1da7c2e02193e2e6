"""Actions on rooms: the only code that changes one. Each locks the room, checks `permissions`, changes rows, appends
to the event log, and publishes when the transaction commits. Refusals raise `RoomRefused`."""

from rooms.actions.arrival import admit
from rooms.actions.captions import set_captions, set_language, set_own_captions
from rooms.actions.clips import make_clip, make_live_clip, set_clips_off, take_back_clip
from rooms.actions.cohosts import demote, name_cohost
from rooms.actions.consent import record_consent
from rooms.actions.downloads import hand_out_files
from rooms.actions.entry import set_entry_policy
from rooms.actions.epoch import new_epoch
from rooms.actions.hand_over import hand_over, hand_over_to_cohost
from rooms.actions.hands import decline_hand, let_up, lock_hands, lower_hand, raise_hand
from rooms.actions.host import host_back, host_lost
from rooms.actions.invitations import accept, decline, invite, revoke
from rooms.actions.links import arrive, make_link, note_arrival, revoke_link, share_link, use_link
from rooms.actions.microphone import hold_microphone, release_microphone
from rooms.actions.mutes import ask_unmute, hold_mute, lift_mute, mute_all
from rooms.actions.opening import end_room, open_room
from rooms.actions.preparing import cancel_room, change_prepared, open_prepared, prepare_room
from rooms.actions.publishing import DownloadLink, download_everything, set_objection, set_published
from rooms.actions.quality import tell_quality
from rooms.actions.reactions import keep_reactions, react
from rooms.actions.recording import adopt_folder, retry_recording, set_recording_paused
from rooms.actions.removals import remove_person, undo_removal
from rooms.actions.restrictions import lift_restriction, restrict
from rooms.actions.speak_policy import set_speak_policy
from rooms.actions.staff import end_by_staff
from rooms.actions.staff_listening import admit_staff, note_staff_listening
from rooms.actions.stage import leave_seat, set_muted, take_seat, unseat
from rooms.actions.standing import standing_changed
from rooms.actions.sweep import sweep_rooms
from rooms.actions.takedowns import put_back_title, take_down_title
from rooms.actions.unseen import set_unseen

__all__ = [
    "DownloadLink",
    "accept",
    "admit",
    "admit_staff",
    "adopt_folder",
    "arrive",
    "ask_unmute",
    "cancel_room",
    "change_prepared",
    "decline",
    "decline_hand",
    "demote",
    "download_everything",
    "end_by_staff",
    "end_room",
    "hand_out_files",
    "hand_over",
    "hand_over_to_cohost",
    "hold_microphone",
    "hold_mute",
    "host_back",
    "host_lost",
    "invite",
    "keep_reactions",
    "leave_seat",
    "let_up",
    "lift_mute",
    "lift_restriction",
    "lock_hands",
    "lower_hand",
    "make_clip",
    "make_link",
    "make_live_clip",
    "mute_all",
    "name_cohost",
    "new_epoch",
    "note_arrival",
    "note_staff_listening",
    "open_prepared",
    "open_room",
    "prepare_room",
    "put_back_title",
    "raise_hand",
    "react",
    "record_consent",
    "release_microphone",
    "remove_person",
    "restrict",
    "retry_recording",
    "revoke",
    "revoke_link",
    "set_captions",
    "set_clips_off",
    "set_entry_policy",
    "set_language",
    "set_muted",
    "set_objection",
    "set_own_captions",
    "set_published",
    "set_recording_paused",
    "set_speak_policy",
    "set_unseen",
    "share_link",
    "standing_changed",
    "sweep_rooms",
    "take_back_clip",
    "take_down_title",
    "take_seat",
    "tell_quality",
    "undo_removal",
    "unseat",
    "use_link",
]
