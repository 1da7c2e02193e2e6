"""Every part dies once in the middle of a room: people hear again by themselves, mutes stay, the gap is measured."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator
from datetime import timedelta

import pytest
from django.utils import timezone

from deploy.local.throwaway import Throwaway
from rooms.models import Recording, RecordingFile, Room, RoomEvent
from rooms.recording import store, tasks
from rooms.recording.sums import checksums
from tests.rooms.media import kills
from tests.rooms.media.company import TONES, Company, signed_in
from tests.support.managed import Managed
from tests.support.waiting import say, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]


@pytest.fixture
def managed(services: Throwaway, room: Room) -> Generator[Managed]:
    """The site under its real process manager. What its processes wrote is shown with a test that fails."""
    managed = Managed(services)
    try:
        managed.start()
        yield managed
    finally:
        for name in managed.manager.names:
            sys.stdout.write(f"--- {name}\n{managed.log(name)}\n")
        managed.stop()


def test_people_hear_again_whatever_is_killed(managed: Managed, room: Room) -> None:
    company = Company(managed.url, room, signed_in(managed.url, room))
    seen: list[kills.Seen] = []

    async def story() -> None:
        async with company.together():
            for name, kill in rounds(managed).items():
                seen.append(await kills.suffer(company, managed, name, kill))
                say(seen[-1].line())
                kills.check_mute(seen[-1])
                if not kills.is_soon_over(seen[-1]):  # once more
                    seen.append(await kills.suffer(company, managed, name, kill))
                    say(seen[-1].line())
                kills.check(seen[-1])
            await asyncio.sleep(1.5)
            await company.say("end")
            await company.until(lambda: company.near.over, "the end is told", 20)

    asyncio.run(story())
    killed_while_finishing(managed, room)
    whole(room)
    kills.lena_was_silent(company)
    mix = kills.Mix(room, store.mix_path(room.pk))
    kills.listen(company, seen, mix)
    for one in seen:
        say(f"{one.name:24}{one.lost:.1f} s are missing, {one.by_ear:.1f} s by ear; {one.leaked:.1f} s of the mute")
    kills.judge(company, seen, mix)
    room.refresh_from_db()
    assert room.started_at is not None and room.ended_at is not None
    missing = Recording.objects.get(room=room).missing_ms / 1000
    times = kills.recorded_times(room.pk)
    lacks = room.ended_at.timestamp() - times[0][0] - sum(end - begin for begin, end in times)
    assert abs(missing - lacks) < 0.3, f"the host is told of {missing:.1f} s, and {lacks:.1f} s are missing"
    assert abs(mix.seconds - (room.ended_at - room.started_at).total_seconds()) < 2.0
    gone = RoomEvent.objects.filter(room=room, type__in=["seat_left", "host_lost"]).exclude(data__reason="room_ended")
    assert [event.data for event in gone] == [], "nobody was taken for gone"
    managed.stop()
    assert not managed.ffmpegs("") and not managed.orphans()


def rounds(managed: Managed) -> dict[str, Callable[[], object]]:
    """Each part that may die, by name; the two ffmpegs, which do different work, die at once."""
    kill = kills.kills(managed)
    recorder, leveller = kill.pop("recorder"), kill.pop("leveller")

    def both() -> None:
        recorder()
        leveller()

    return {"recorder and leveller": both} | kill


def killed_while_finishing(managed: Managed, room: Room) -> None:
    """kill -9 to the worker and its children while the files are being made; then the sweep asks again."""
    workers = managed.below(managed.pid("work"))
    wait_until(lambda: any(store.folder(room.pk).glob(".finish-*")), 60, "finishing")
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    assert Recording.objects.get(room=room).state == Recording.State.FINISHING, "killed too late to show anything"
    assert not RecordingFile.objects.exists() and any(store.folder(room.pk).glob(".finish-*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "LEFT_BEHIND", timedelta(0))
        assert tasks.sweep_recordings() == 0, "what killed its worker waits a minute"
        Recording.objects.filter(room=room).update(next_try_at=timezone.now())
        assert tasks.sweep_recordings() == 1
        tasks.finish_recording.delay(room.pk)  # as a second sweep would
    wait_until(lambda: Recording.objects.filter(room=room, state=Recording.State.READY).exists(), 90, "the recording")


def whole(room: Room) -> None:
    """One mix, a track of each who spoke, each as its checksum says, and nothing of the first try."""
    files = list(RecordingFile.objects.filter(recording__room=room))
    tracks = sorted(file.seat.user.handle for file in files if file.seat is not None)
    assert tracks == sorted(TONES) and len(files) == len(TONES) + 1
    assert all(file.sha256 == checksums(store.file_path(file)).sha256 for file in files)
    assert not list(store.folder(room.pk).glob(".finish-*"))
