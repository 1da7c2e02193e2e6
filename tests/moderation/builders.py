"""Rooms with something of everything in them, and a search of the whole house for what is left of one."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from core import bus
from rooms import actions
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import store
from tests.rooms.people import consented, open_room, person

FILES = ("mix.m4a", "hls/live.m3u8", "hls/0-init.mp4", "hls/0-000001.m4s", "tracks/seat.mjr", "peaks.json")


def ended_room(word: str, number: int = 0) -> Room:
    """A room as it is after its end: opened, spoken in and ended through actions, files and transcript laid beside.

    `word` is in everything that was said, logged or recorded in it; the title has another word.
    """
    room = open_room(f"host{number}{word[:8]}", title=f"Title of {number}", topic=f"about {word}")
    guest = consented(person(f"guest{number}{word[:8]}", name=f"Guest {word}"), room)
    actions.take_seat(room.pk, guest)
    actions.set_muted(room.pk, guest, False, guest)
    actions.end_room(room.pk, room.host)
    room.refresh_from_db()
    lay(room, word)
    bus.client().hset(bus.key(f"presence:{room.pk}:people"), f"u:{word}", 1)
    return room


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
    if apps.is_installed("transcripts") and seat is not None:
        transcribe(room, seat, word)


def file_with(room: Room, name: str, word: str) -> None:
    path = store.folder(room.pk) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0sound " + word.encode() + name.encode() * 50)


def transcribe(room: Room, seat: Seat, word: str) -> None:
    """A transcript with one cue that says the word."""
    from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow

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


def due_at(room: Room) -> datetime:
    assert room.ended_at is not None
    return room.ended_at + timedelta(days=settings.RECORDING_DAYS)


# --- looking for what is left -----------------------------------------------------------------------------------------


def found(word: str) -> set[str]:
    """Where the word is: tables (any column of any table), keys of Redis, files."""
    return {*in_tables(word), *in_redis(word), *in_files(word)}


def in_tables(word: str) -> Iterator[str]:
    """Every column of every table, binary ones too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'ledger')")
        names = cursor.fetchall()
        for schema, name in names:
            query = sql.SQL("SELECT count(*) FROM {table} AS row WHERE row::text ILIKE {word} OR row::text ILIKE {hex}")
            cursor.execute(
                query.format(
                    table=sql.Identifier(schema, name),
                    word=sql.Literal(f"%{word}%"),
                    hex=sql.Literal(f"%{word.encode().hex()}%"),
                ).as_string(cursor.connection)
            )
            if cursor.fetchone()[0]:
                yield name if schema == "public" else f"{schema}.{name}"


REDIS_READERS: dict[bytes, Callable[[Any, bytes], Any]] = {
    b"string": lambda client, name: client.get(name),
    b"hash": lambda client, name: client.hgetall(name),
    b"list": lambda client, name: client.lrange(name, 0, -1),
    b"set": lambda client, name: client.smembers(name),
    b"zset": lambda client, name: client.zrange(name, 0, -1),
    b"stream": lambda client, name: client.xrange(name),
}


def in_redis(word: str) -> Iterator[str]:
    """Names and values, whatever their type."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for name in client.scan_iter():
            value = REDIS_READERS[client.type(name)](client, name)
            if word in name.decode(errors="replace") or word in repr(value):
                yield f"redis {name.decode(errors='replace')}"


def in_files(word: str) -> Iterator[str]:
    """Names and contents of everything that the site keeps in folders."""
    for folder in (settings.RECORDINGS_DIR, settings.MEDIA_ROOT, settings.OUTSIDE_DIR):
        for path in Path(folder).rglob("*"):
            if word in path.name or (path.is_file() and word.encode() in path.read_bytes()):
                yield str(path.relative_to(settings.LOCAL_DIR))
