"""After a purge nothing that leads to a room, or was said in it, is anywhere but where this list says it may be.

The list is all there is: a new table, column, key or file that knows a room fails here until somebody wrote down why it
may stay, or until it goes.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from core import bus
from people import notify
from retention import purge
from rooms import actions
from rooms.models import Room
from rooms.recording.hls import window
from rooms.recording.store import window_folder
from tests.support.privileges import superuser
from tests.support.rooms import due_at, published
from tests.support.traces import distinctive_key, everywhere, marked_room
from transcripts.actions import correct_cue
from transcripts.models import Cue

pytestmark = pytest.mark.django_db(transaction=True)

WORD, TITLE = "quixotryzebra", "Marzipan and why"

# What may still name the room: its key, its address, its title. Never a word that was said, logged or written about it.
STAYS = {
    "rooms_room.id": "the room's row, for the list of its host",
    "rooms_room.slug": "the same",
    "rooms_room.title": "the same",
    "rooms_recording.room_id": "that it was recorded, and that the recording is purged",
    "rooms_consent.room_id": "that people agreed, which must be shown after the recording is gone",
    "rooms_restriction.room_id": "that moderators closed the recording",
    "rooms_titletakedown.room_id": "that moderators removed the title, which stays with the room",
    "moderation_case.room_id": "the case of a report, with its parties and decisions",
    "moderation_report.room_id": "a report of the room, which goes with its case",
    "moderation_legalhold.room_id": "that an authority ordered to keep it",
    "social_message.data": "an official message that the replay would be published: the room's key",
    "retention_purgereceipt.room": "the receipt",
    "retention_purgereceipt.slug": "the receipt",
    "ledger.entry.subject": "the ledger: which room an entry is about",
    "ledger.entry.data": "the same: which room a report is about",
    "file outside/receipts/…": "the receipt, outside of the database",
    "file mail/…": "a mail is with whom it was sent to: address and title of the room, no word of it",
    "redis work": "messages that wait for a worker, which drops them: numbers of rows",
}
# Words of the room: the guest has one in the own name, which is the account's.
SAID = {"people_user.display_name": "an account's own name", "people_user.email": "", "people_user.handle": ""}


def places(*words: str | int) -> set[str]:
    """List the places where the words occur, without parts that differ from run to run."""
    found = everywhere(*words)
    return {re.sub(r"^file (outside/receipts|mail)/.*", r"file \1/…", place) for place in found}


@pytest.fixture
def room() -> Room:
    """One with everything that the site can do to a room, done."""
    key = distinctive_key()
    room = marked_room(WORD)
    assert room.pk == key
    Room.objects.filter(pk=key).update(title=TITLE)
    room.refresh_from_db()
    published(room)
    actions.download_everything(key, room.host)
    correct_cue(room, Cue.objects.get(transcript__room=room).pk, room.host, f"he said {WORD}")
    about: dict[str, Any] = {"title": TITLE, "path": room.get_absolute_url(), "failed": False, "gaps": 0}
    notify.send(room.host, "transcripts/email/finished.txt", **about)
    window.make(key)
    (window_folder(key) / "0-0.m4s").write_bytes(WORD.encode())
    return room


def test_everything_is_gone_but_what_may_stay(room: Room) -> None:
    names = (room.pk, room.slug, TITLE)
    before, said = places(*names), places(WORD)
    assert before > {"rooms_seat.room_id", "rooms_roomevent.room_id", "transcripts_transcript.room_id", "rooms_room.id"}
    assert any(place.startswith("redis presence:") for place in before)
    assert "file recordings/*" in before and f"file recordings/{room.pk}/mix.m4a" in said
    assert f"file {settings.WINDOW_DIR.name}/{room.pk}/0-0.m4s" in said, "sound in memory"
    cue = {f"transcripts_cue.{column}" for column in ("text", "corrected_text", "words", "search")}
    assert said > {*cue, "rooms_room.topic", "people_user.display_name"}
    assert purge.purge([room.pk], due_at(room)) == [room.pk]
    assert places(*names) - set(STAYS) == set()
    assert places(WORD) - set(SAID) == set()
    assert purge.tidy(timezone.now(), since=timedelta(days=1)) == []


@pytest.fixture
def doodles() -> Generator[None]:
    """A table that somebody adds tomorrow and tells nobody of."""
    with superuser() as connected:
        connected.execute("CREATE TABLE doodles (id serial, room bigint, note jsonb, links text[])")
        yield
        connected.execute("DROP TABLE doodles")


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("(room) VALUES ({pk})", "doodles.room"),
        ('(note) VALUES (\'{{"see": "/r/{slug}/"}}\')', "doodles.note"),
        ("(note) VALUES ('{{\"room\": {pk}}}')", "doodles.note"),
        ("(links) VALUES (ARRAY['/r/{slug}/'])", "doodles.links"),
    ],
)
def test_what_knows_a_room_by_a_plain_number_or_in_a_json_is_found(doodles: None, row: str, place: str) -> None:
    room_key = distinctive_key()
    room = marked_room(WORD)
    with superuser() as connected:
        connected.execute("INSERT INTO doodles " + row.format(pk=room_key, slug=room.slug))
    purge.purge([room.pk], due_at(room))
    assert places(room.pk, room.slug, room.title) - set(STAYS) == {place}


def test_what_redis_keeps_of_a_room_is_found() -> None:
    room_key = distinctive_key()
    room = marked_room(WORD)
    bus.client().set(bus.key("doodle"), f"/r/{room.slug}/")
    bus.client().sadd(bus.key("doodles"), room_key)
    purge.purge([room.pk], due_at(room))
    assert places(room.pk, room.slug) - set(STAYS) == {"redis doodle", "redis doodles"}
