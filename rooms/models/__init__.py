"""Models of rooms: rooms, seats, the public event log, and recordings.

Important rules are database constraints too: one live room a host, one open seat, hand and removal a person, at most
ten speakers, an append-only log.
"""

from rooms.models.admission import (
    Arrival,
    HandOver,
    Invitation,
    ListenerChoice,
    PersonalLink,
    Removal,
    RemovedListener,
    ShareLink,
    StayingFollower,
    token_hash,
)
from rooms.models.captions import CaptionsOff
from rooms.models.clip import LONGEST_CLIP_MS, Clip, ClipVoice
from rooms.models.log import RoomEvent
from rooms.models.measures import Restriction, TitleTakedown
from rooms.models.reaction import ReactionCount
from rooms.models.recording import NOTICE, TOLD_GAP_MS, Recording, RecordingFile, RecordingsFolder, ReplayObjection
from rooms.models.room import TITLE, TOPIC, Room, new_slug
from rooms.models.stage import Consent, Hand, Seat

__all__ = [
    "LONGEST_CLIP_MS",
    "NOTICE",
    "TITLE",
    "TOLD_GAP_MS",
    "TOPIC",
    "Arrival",
    "CaptionsOff",
    "Clip",
    "ClipVoice",
    "Consent",
    "Hand",
    "HandOver",
    "Invitation",
    "ListenerChoice",
    "PersonalLink",
    "ReactionCount",
    "Recording",
    "RecordingFile",
    "RecordingsFolder",
    "Removal",
    "RemovedListener",
    "ReplayObjection",
    "Restriction",
    "Room",
    "RoomEvent",
    "Seat",
    "ShareLink",
    "StayingFollower",
    "TitleTakedown",
    "new_slug",
    "token_hash",
]
