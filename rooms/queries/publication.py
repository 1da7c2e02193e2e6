"""The publication of a replay, as people who may hear it see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from people.models import User
from rooms.models import Recording, Room
from rooms.rules import permissions
from rooms.rules.publishing import objects, publication_state
from rooms.rules.restrictions import is_restricted
from rooms.rules.voice import has_voice


@dataclass(frozen=True)
class Publication:
    """`state` is "" (none), "announced", "objected" or "public"; `at` is the moment from which it is public, `by` the
    host who announced it. `may_object` and `objects` are of the reader; whose objection stands is told to nobody."""

    state: str
    at: datetime | None
    by: User | None
    may_object: bool = False
    objects: bool = False


def publication_of(room: Room, recording: Recording, reader: User | None, role: str) -> Publication:
    """Load the publication of a recording for a reader with this role in it (`rooms.rules.roles.role_in`)."""
    state = publication_state(recording, objected=objects(recording, None), restricted=is_restricted(room))
    own = reader is not None and objects(recording, reader)
    code = permissions.may_object(
        role=role,
        voice=reader is not None and has_voice(room.pk, reader.pk),
        announced=recording.announced_at is not None,
        public=state == "public",
        objected=own,
    )
    return Publication(state, recording.published_at, recording.published_by, code is None, own)
