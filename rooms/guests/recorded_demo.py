"""The demo's recorded room: what its two speakers say, in the files that a finished recording has.

It is made in less time than it lasts, before the site's processes run. So its sound is encoded instead of recorded, and
its times are moved to the day before; waveform and transcript are made by the site from these files, as of any room.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.refusals import Refused
from people import demo
from people.models import User
from rooms.actions.consent import record_consent
from rooms.actions.opening import end_room, open_room
from rooms.actions.past import move_demo_room
from rooms.actions.stage import set_muted, take_seat
from rooms.guests import peers, voices
from rooms.guests.demo import RECORDED_TITLE, TOPIC, recorded_demo_room
from rooms.models import Recording, RecordingFile, Room, Seat
from rooms.recording import marker, store
from rooms.recording.finishing.finish import FinishedFile, write_rows

log = logging.getLogger(__name__)

AGO = timedelta(days=1)
HANDLES = (voices.READER, voices.COMMENTER)  # in the order of `voices.script`
_OPUS = ("-c:a", "libopus", "-b:a", "48k")
_AAC = ("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart")


def record_demo_room(people: Mapping[str, User]) -> Room:
    """Make the demo's recorded room, unless it is there, and return it. Raises RoomRefused (its host is live now),
    VoicesMissing, OtherFolder."""
    if room := recorded_demo_room():
        return room
    marker.check()
    lasts = timedelta(milliseconds=voices.times()[-1][1])
    host = people[demo.HOST]
    with transaction.atomic():
        room = open_room(host, title=RECORDED_TITLE, topic=TOPIC, language="en", is_demo=True)
        for user in (host, *(people[handle] for handle in HANDLES)):
            record_consent(user, room, settings.CONSENT_VERSION)
        for handle in HANDLES:
            take_seat(room.pk, people[handle])
            set_muted(room.pk, people[handle], False, people[handle])
        end_room(room.pk, host)
        ended = timezone.now() - AGO
        room = move_demo_room(room.pk, ended - lasts, ended)
        recording = Recording.objects.get(room=room)
        write_rows(recording, _files(room, {people[handle].pk: handle for handle in HANDLES}))
    return room


def record_unless_impossible(people: Mapping[str, User]) -> None:
    """Make the demo's recorded room. While its host is live, or without a package, there is none: a later start makes
    it."""
    try:
        record_demo_room(people)
    except (Refused, voices.VoicesMissing, marker.OtherFolder) as error:
        log.info("the demo's recorded room was not made: %s", error)


def _files(room: Room, parts: Mapping[int, str]) -> list[FinishedFile]:
    """Put a track for each speaker, by the key of the account, and the mix where a finished recording has them."""
    kinds, made = RecordingFile.Kind, encoded()
    places: list[tuple[str, Path, int | None, Path]] = [(kinds.MIX, store.mix_path(room.pk), None, made["mix"])]
    for user_pk, handle in parts.items():
        seat = Seat.objects.get(room=room, user=user_pk)
        places.append((kinds.TRACK, store.track_path(room.pk, seat.pk), seat.pk, made[handle]))
    store.tracks_folder(room.pk).mkdir(mode=0o750, parents=True, exist_ok=True)
    for _kind, path, _seat, source in places:
        shutil.copyfile(source, path)
    lasts_ms = room.room_time(room.ended_at)
    return [FinishedFile(kind, path, 0, lasts_ms, seat_pk) for kind, path, seat_pk, _source in places]


def encoded() -> dict[str, Path]:
    """Encode the speakers' tracks, by handle, and the `mix` of both; kept as files. Raises VoicesMissing."""
    folder = Path(settings.LOCAL_DIR) / "voices"
    made = {handle: folder / f"{handle}.opus" for handle in HANDLES} | {"mix": folder / "mix.m4a"}
    if all(path.exists() for path in made.values()):
        return made
    with tempfile.TemporaryDirectory() as scratch:
        waves = {handle: Path(scratch) / f"{handle}.wav" for handle in HANDLES}
        for handle, samples in zip(HANDLES, voices.script(), strict=True):
            peers.write_wave(waves[handle], samples)
            _encode([waves[handle]], made[handle], *_OPUS)
        _encode([*waves.values()], made["mix"], "-filter_complex", f"amix=inputs={len(waves)}:normalize=0", *_AAC)
    return made


def _encode(waves: list[Path], target: Path, *options: str) -> None:
    part = target.with_name(f"part-{target.name}")
    inputs = [word for wave in waves for word in ("-i", str(wave))]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *inputs, *options, str(part)], check=True, capture_output=True)
    part.rename(target)
