"""Work in the background."""

from celery import shared_task

from ledger import anchors


@shared_task(name="ledger.anchor")  # type: ignore[untyped-decorator]
def anchor() -> None:
    """Write the head outside of the database (Celery beat, every ten minutes)."""
    anchors.anchor()
