"""Models of rooms: rooms, seats, the public event log, and recordings.

Important rules are database constraints too: one live room a host, one open seat a person, at most ten speakers, an
append-only log.
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
