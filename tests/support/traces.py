"""Rooms with a word in everything that is kept of them, and searches of the whole site for what is left of one.

The searches need no list of models: each column of each table, each key of Redis, each file.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings
from django.utils import timezone
from psycopg import sql

from core import bus
from moderation.models import ListedWord, WordHit
from people.models import User
from rooms import actions, reactions
from rooms.models import (
    Arrival,
    CaptionsOff,
    Clip,
    ClipVoice,
    Hand,
    HandOver,
    Invitation,
    ListenerChoice,
    PersonalLink,
    ReactionCount,
    Recording,
    RecordingFile,
    Removal,
    RemovedListener,
    ReplayObjection,
    Restriction,
    Room,
    Seat,
    ShareLink,
    StayingFollower,
    TitleTakedown,
    token_hash,
)
from rooms.recording import store
from tests.support.laid_cases import lay_case
from tests.support.people import person
from tests.support.privileges import superuser
from tests.support.rooms import consented, open_room
from transcripts.models import (
    CaptionedRoom,
    Cue,
    LiveLine,
    RangeCue,
    RangeTranscript,
    TrackPlan,
    Transcript,
    TranscriptionWindow,
)

FILES = (
    "clips/a.mp4",
    "mix.m4a",
    "hls/live.m3u8",
    "hls/0-init.mp4",
    "hls/0-000001.m4s",
    "tracks/seat.mjr",
    "peaks.json",
)


def marked_room(word: str, number: int = 0) -> Room:
    """A room as it is after its end: opened, spoken in and ended through actions, files and transcript laid beside.

    `word` is in everything that was said, logged or recorded in it; the title has another word.
    """
    room = open_room(f"host{number}{word[:8]}", title=f"Title of {number}", topic=f"about {word}")
    guest = consented(person(f"guest{number}{word[:8]}", name=f"Guest {word}"), room)
    actions.take_seat(room.pk, guest)
    actions.set_muted(room.pk, guest, False, guest)
    lay_people(room, guest, f"{number}{word[:8]}")
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    lay(room, word)
    ReplayObjection.objects.create(recording=room.recording, user=guest)
    bus.client().hset(bus.key(f"presence:{room.pk}:people"), f"u:{word}", 1)
    return room


def lay_people(room: Room, guest: User, suffix: str) -> None:
    """Rows of everything that people do in a room beside talking."""
    ReactionCount.objects.create(room=room, second=0, kind="clap", count=3, batch=uuid4())
    reactions.count(room.pk, 0, "clap", 0)
    reactions.take(room.pk)
    reactions.count(room.pk, 0, "heart", 0)
    other = person(f"other{suffix}")
    Hand.objects.create(room=room, user=other)
    link = PersonalLink.objects.create(
        room=room, by=room.host, label=suffix, hash=token_hash(suffix), used_at=room.started_at
    )
    Invitation.objects.create(room=room, user=other, by=guest, kind=Invitation.Kind.LISTEN, link=link)
    Arrival.objects.create(link=ShareLink.objects.create(room=room, by=guest), mac="0" * 64)
    ListenerChoice.objects.create(room=room, user=other, unseen=True)
    CaptionsOff.objects.create(room=room, user=other)
    removal = Removal.objects.create(room=room, user=person(f"removed{suffix}"), by=room.host)
    RemovedListener.objects.create(removal=removal, mac="0" * 64)
    hand_over = HandOver.objects.create(room=room, former=other, to=room.host, reason=HandOver.Reason.GIVEN)
    StayingFollower.objects.create(hand_over=hand_over, user=other)
    clip = Clip.objects.create(room=room, maker=other, kind=Clip.Kind.SOUND, from_ms=0, to_ms=900)
    ClipVoice.objects.create(clip=clip, user=guest)
    lay_case(room, guest, other)
    lifted: dict[str, Any] = {"room": room, "lifted_at": timezone.now() + timedelta(days=1)}
    Restriction.objects.create(reason=Restriction.Reason.AT_ONCE, **lifted)
    TitleTakedown.objects.create(title="An earlier one", **lifted)


def lay(room: Room, word: str) -> None:
    """Files, their rows, and a transcript with cues."""
    recording, _made = Recording.objects.update_or_create(room=room, defaults={"state": Recording.State.READY})
    seat = Seat.objects.filter(room=room).order_by("-pk").first()
    for name in FILES:
        file_with(room, name, word)
    seat_track = f"tracks/seat-{seat.pk if seat else 0}.opus"
    file_with(room, seat_track, word)
    for name, kind, whose in (("mix.m4a", "mix", None), (seat_track, "track", seat)):
        path = store.folder(room.pk) / name
        RecordingFile.objects.get_or_create(
            recording=recording,
            path=f"{room.pk}/{name}",
            defaults={
                "kind": kind,
                "seat": whose,
                "start_ms": 0,
                "duration_ms": 1000,
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "crc32": zlib.crc32(path.read_bytes()),
                "has_sound": None if whose is None else True,
            },
        )
    if seat is not None:
        transcribe(room, seat, word)


def file_with(room: Room, name: str, word: str) -> None:
    path = store.folder(room.pk) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0sound " + word.encode() + name.encode() * 50)


def transcribe(room: Room, seat: Seat, word: str) -> None:
    """A transcript with one cue that says the word."""
    transcript, _made = Transcript.objects.get_or_create(room=room, defaults={"language": "en"})
    file = RecordingFile.objects.get(recording__room=room, kind="track")
    plan, _made = TrackPlan.objects.get_or_create(transcript=transcript, file=file)
    window, _made = TranscriptionWindow.objects.get_or_create(
        plan=plan, position=0, defaults={"spans": [[0, 900]], "speech_ms": 900}
    )
    Cue.objects.get_or_create(
        transcript=transcript,
        window=window,
        position=0,
        defaults={
            "seat": seat,
            "start_ms": 0,
            "end_ms": 900,
            "language": "en",
            "text": f"she said {word}",
            "words": [{"w": word, "s": 0, "e": 900, "p": 0.9}],
            "model": "base",
            "version": "1",
        },
    )
    asked = RangeTranscript.objects.create(room=room, from_ms=0, to_ms=900, state="ready", ready_at=timezone.now())
    lay_hit(room, seat.user)
    CaptionedRoom.objects.create(room=room, worker="captions", lease_until=timezone.now(), next_line=2)
    LiveLine.objects.create(room=room, speaker=seat.user, line=1, started_ms=0, ended_ms=900, words=[[word, 0, 900]])
    RangeCue.objects.create(range=asked, speaker=seat.user, start_ms=0, end_ms=900, text=f"she said {word}")


def lay_hit(room: Room, speaker: User) -> None:
    """A place where captions had a word of the list."""
    values = {"phrase": "fool", "category_id": "hate", "added_by": speaker}
    word, _made = ListedWord.objects.get_or_create(folded="fool", language="", defaults=values)
    WordHit.objects.create(word=word, room=room, speaker=speaker, line=1, from_ms=0, to_ms=900)


# --- looking for what is left -----------------------------------------------------------------------------------------

REDIS_READERS: dict[bytes, Callable[[Any, bytes], Any]] = {
    b"string": lambda client, name: client.get(name),
    b"hash": lambda client, name: client.hgetall(name),
    b"list": lambda client, name: client.lrange(name, 0, -1),
    b"set": lambda client, name: client.smembers(name),
    b"zset": lambda client, name: client.zrange(name, 0, -1),
    b"stream": lambda client, name: client.xrange(name),
    b"none": lambda client, name: None,  # its time was over
}


NUMBERS = ("smallint", "integer", "bigint", "numeric")
_rooms = count(918_273_645)  # no other row has such a key, and no other number in a JSON such digits


def distinctive_key() -> int:
    """The key that the next room gets: to be found wherever it stands as a plain number, or in a text."""
    key = next(_rooms)
    with superuser() as connected:
        connected.execute("SELECT setval(pg_get_serial_sequence('rooms_room', 'id'), %s, false)", [key])
    return key


def everywhere(*words: str | int) -> set[str]:
    """Where any of these is: `table.column`, `redis key`, `file path`, with the words' own place in names as `*`."""
    found = {*in_columns(words), *in_redis(words), *in_files(words)}
    for word in words:
        found = {place.replace(str(word), "*") for place in found}
    return found


def in_columns(words: tuple[str | int, ...]) -> Iterator[str]:
    """Columns with a number that is the word, or with a text (of whatever type: JSON, bytes, arrays) that has it."""
    with superuser() as connected:
        columns = connected.execute(
            "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
            " JOIN pg_tables ON (schemaname, tablename) = (table_schema, table_name)"
            " WHERE table_schema IN ('public', 'ledger')"
        ).fetchall()
        # Most tables have none of the words in any row: their columns need not be asked one by one.
        tables = {(schema, table): words_in_table(connected, schema, table, words) for schema, table, *_ in columns}
        for schema, table, column, kind in columns:
            if any(is_in_column(connected, (schema, table, column, kind), word) for word in tables[schema, table]):
                yield f"{table}.{column}" if schema == "public" else f"{schema}.{table}.{column}"


def words_in_table(connected: Any, schema: str, table: str, words: tuple[str | int, ...]) -> list[str | int]:
    """The words that some row has, written out as text: as itself, or as the hexadecimal digits of its bytes."""
    rows = sql.SQL("SELECT EXISTS (SELECT FROM {table} AS row WHERE row::text ILIKE ANY(%s))")
    query = rows.format(table=sql.Identifier(schema, table))
    return [word for word in words if connected.execute(query, [patterns(word)]).fetchone()[0]]


def patterns(word: str | int) -> list[str]:
    return [f"%{word}%", f"%{str(word).encode().hex()}%"]


def is_in_column(connected: Any, where: tuple[str, str, str, str], word: str | int) -> bool:
    schema, table, column, kind = where
    names = {"table": sql.Identifier(schema, table), "column": sql.Identifier(column)}
    if kind in NUMBERS:
        if not isinstance(word, int):
            return False
        number = "SELECT EXISTS (SELECT FROM {table} WHERE {column}::numeric = %s)"
        return bool(connected.execute(sql.SQL(number).format(**names), [word]).fetchone()[0])
    text = "SELECT EXISTS (SELECT FROM {table} WHERE {column}::text ILIKE ANY(%s))"
    return bool(connected.execute(sql.SQL(text).format(**names), [patterns(word)]).fetchone()[0])


def in_redis(words: tuple[str | int, ...]) -> Iterator[str]:
    """Names and values of keys, whatever their type."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for name in client.scan_iter():
            text = f"{name.decode(errors='replace')} {REDIS_READERS[client.type(name)](client, name)!r}"
            if any(str(word) in text for word in words):
                yield f"redis {name.decode(errors='replace').removeprefix(settings.REDIS_PREFIX)}"


def in_files(words: tuple[str | int, ...]) -> Iterator[str]:
    """Names and contents of everything that the site keeps in folders, mails too."""
    for folder in (
        *(settings.RECORDINGS_DIR, settings.WINDOW_DIR, settings.MEDIA_ROOT),
        *(settings.OUTSIDE_DIR, settings.MAIL_FOLDER, settings.OWN_DATA_DIR),
    ):
        for path in Path(folder).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            if any(str(word) in path.name or str(word).encode() in content for word in words):
                yield f"file {Path(folder).name}/{path.relative_to(folder)}"
