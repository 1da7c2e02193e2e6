"""Rows of rooms: rooms, seats, the log of what everybody saw, and the copy that is kept.

Rules that matter also stand in the database: one live room a host, one open seat a person, ten places on stage,
a log that nobody edits.
"""

from rooms.models.log import RoomEvent
from rooms.models.recording import TOLD_GAP_MS, Recording, RecordingFile, RecordingsFolder
from rooms.models.room import TITLE, TOPIC, Room, new_slug
from rooms.models.stage import Consent, Seat

__all__ = [
    "TITLE",
    "TOLD_GAP_MS",
    "TOPIC",
    "Consent",
    "Recording",
    "RecordingFile",
    "RecordingsFolder",
    "Room",
    "RoomEvent",
    "Seat",
    "new_slug",
]
