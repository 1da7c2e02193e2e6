"""Actions on rooms: the only code that changes one. Each locks the room, checks `permissions`, changes rows, appends
to the event log, and publishes when the transaction commits. Refusals raise `RoomRefused`."""

from rooms.actions.consent import record_consent
from rooms.actions.entry import set_entry_policy
from rooms.actions.epoch import new_epoch
from rooms.actions.host import host_back, host_lost
from rooms.actions.microphone import hold_microphone, release_microphone
from rooms.actions.opening import end_room, open_room
from rooms.actions.publishing import DownloadLink, download_everything, set_objection, set_published
from rooms.actions.recording import adopt_folder, retry_recording, set_recording_paused
from rooms.actions.stage import leave_seat, set_muted, take_seat, unseat
from rooms.actions.standing import standing_changed
from rooms.actions.sweep import sweep_rooms

__all__ = [
    "DownloadLink",
    "adopt_folder",
    "download_everything",
    "end_room",
    "hold_microphone",
    "host_back",
    "host_lost",
    "leave_seat",
    "new_epoch",
    "open_room",
    "record_consent",
    "release_microphone",
    "retry_recording",
    "set_entry_policy",
    "set_muted",
    "set_objection",
    "set_published",
    "set_recording_paused",
    "standing_changed",
    "sweep_rooms",
    "take_seat",
    "unseat",
]
