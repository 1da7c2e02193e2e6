"""The clock as it runs: nobody calls anything, Celery beat wakes a worker, and the worker purges."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from retention.models import PurgeReceipt
from rooms.models import Room
from rooms.recording import store
from tests.support.processes import Site
from tests.support.traces import everywhere, marked_room
from tests.support.waiting import wait_until

SWEEP_SECONDS = 10  # the shortest that the settings take


def ended_days_ago(word: str, number: int, days: float) -> Room:
    """A room that ended then."""
    room = marked_room(word, number)
    ended_at = timezone.now() - timedelta(days=days)
    Room.objects.filter(pk=room.pk).update(started_at=ended_at - timedelta(hours=1), ended_at=ended_at)
    return room


def test_beat_has_what_is_due_purged_once_and_leaves_what_is_not(site: Site) -> None:
    due = [ended_days_ago(f"marzipan{number}", number, 30.01) for number in range(4)]
    young = ended_days_ago("nougat", 9, 29.99)
    site.start("work", "beat", RETENTION_SWEEP_SECONDS=str(SWEEP_SECONDS))
    finished = PurgeReceipt.objects.filter(finished_at__isnull=False)
    wait_until(
        lambda: finished.count() == len(due), 12 * SWEEP_SECONDS, "a purge that ended for each room that was due"
    )
    assert not any(store.folder(room.pk).exists() for room in due)
    assert sorted(PurgeReceipt.objects.values_list("room", flat=True)) == [room.pk for room in due]
    for number in range(4):
        assert everywhere(f"marzipan{number}") == {"people_user.display_name"}, "the guest's own name is the account's"
    assert store.mix_path(young.pk).exists() and not PurgeReceipt.objects.filter(room=young.pk).exists()
