"""Tells somebody about a decision as the sender does, in processes that are killed (`tests/support/killed.py`)."""

from datetime import datetime

from tests.support.killed import serve, set_up

if __name__ == "__main__":
    set_up("moderation.told")


def tell(pk: int, at: str) -> None:
    """Tell: the row locked, the line outside, the moment in the row, in one transaction."""
    from django.db import transaction

    from moderation import told
    from moderation.models import Notification

    now = datetime.fromisoformat(at)
    with transaction.atomic():
        row = Notification.objects.select_for_update(of=("self",)).get(pk=pk, told_at=None)
        told.note_told(row, now)
        told.mark_told(row, now)


if __name__ == "__main__":
    serve(tell)
