"""Telling a host that the transcript is finished: by mail, once, in the host's language.

What is to be told stands in the database (`finished_at` without `told_at`), so a message of the queue that is lost or
doubled does no harm. Mail and mark are one transaction under the row's lock: two workers cannot both send it, and one
that is killed has done neither. Only the host is told: who else spoke finds it on the page of the room.
"""

import logging

from django.db import transaction
from django.utils import timezone

from core.text import flat
from people import notify
from transcripts.jobs.progress import progress
from transcripts.models import Transcript

log = logging.getLogger(__name__)


def tell_hosts() -> int:
    """Tell every host who is to be told; returns how many mails were written. One failure holds up no other."""
    to_tell = Transcript.objects.filter(finished_at__isnull=False, told_at=None)
    written = 0
    for pk in list(to_tell.order_by("pk").values_list("pk", flat=True)):
        try:
            written += tell_host(pk)
        except Exception:
            log.exception("The host of transcript %s could not be told: tried again by the next `requeue`", pk)
    return written


@transaction.atomic
def tell_host(pk: int) -> bool:
    """Tell the host of one transcript, unless somebody else has or does. Whether a mail was written."""
    transcript = (
        # The room too, against a purge that begins now. What is locked is looked at again by the next `requeue`.
        Transcript.objects.select_for_update(of=("self", "room"), skip_locked=True, no_key=True)
        .select_related("room__host")
        .filter(pk=pk, finished_at__isnull=False, told_at=None)
        .first()
    )
    if transcript is None:
        return False
    transcript.told_at = timezone.now()
    transcript.save(update_fields=["told_at"])
    if not worth_telling(transcript):
        return False
    room = transcript.room
    notify.send(
        room.host,
        "transcripts/email/finished.txt",
        title=flat(room.title),
        path=f"/r/{room.slug}/replay/",
        failed=transcript.state == Transcript.State.FAILED,
        gaps=progress(transcript).gaps,
    )
    return True


def worth_telling(transcript: Transcript) -> bool:
    """Nobody is told of a transcript that is gone, or in which nobody said anything."""
    room = transcript.room
    return room.purged_at is None and room.host.is_active and transcript.speech_ms > 0
