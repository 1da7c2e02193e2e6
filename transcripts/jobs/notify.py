"""Mail to the host that a transcript is finished: sent once, in the host's language.

Mails to send are found in the database (`finished_at` without `told_at`), so a lost or doubled Celery message does no
harm. Mail and `told_at` are written in one transaction with the row locked: two workers cannot both send it, and one
that is killed has done neither. Other speakers get no mail; they find the transcript on the page of the room.
"""

import logging

from django.db import transaction
from django.utils import timezone

from people import notify
from transcripts.jobs.progress import progress
from transcripts.models import Transcript

log = logging.getLogger(__name__)


def notify_hosts() -> int:
    """Write all mails that are due; returns how many. A mail that fails is logged, and the others are written."""
    unnotified = Transcript.objects.filter(finished_at__isnull=False, told_at=None)
    written = 0
    for pk in list(unnotified.order_by("pk").values_list("pk", flat=True)):
        try:
            written += notify_host(pk)
        except Exception:
            log.exception("The host of transcript %s could not be notified: tried again by the next `requeue`", pk)
    return written


@transaction.atomic
def notify_host(pk: int) -> bool:
    """Mail the host of one transcript; returns whether it did.

    Does nothing where the mail was written already, or another worker has the row locked.
    """
    transcript = (
        # The room's lock keeps a purge from beginning now. Locked rows are tried again by the next `requeue`.
        Transcript.objects.select_for_update(of=("self", "room"), skip_locked=True, no_key=True)
        .select_related("room__host")
        .filter(pk=pk, finished_at__isnull=False, told_at=None)
        .first()
    )
    if transcript is None:
        return False
    transcript.told_at = timezone.now()
    transcript.save(update_fields=["told_at"])
    if not should_notify(transcript):
        return False
    room = transcript.room
    notify.send(
        room.host,
        "transcripts/email/finished.txt",
        room=room,
        path=f"/r/{room.slug}/replay/",
        failed=transcript.state == Transcript.State.FAILED,
        gaps=progress(transcript).gaps,
    )
    return True


def should_notify(transcript: Transcript) -> bool:
    """Return whether to mail: not for a purged room, a closed account, or a transcript without speech."""
    room = transcript.room
    return room.purged_at is None and room.host.is_active and transcript.speech_ms > 0
