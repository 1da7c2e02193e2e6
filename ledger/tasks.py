"""Celery tasks of the ledger."""

from celery import shared_task

from ledger import anchors


@shared_task(name="ledger.anchor")
def anchor() -> None:
    """Write the chain's head outside of the database (Celery beat, every ten minutes)."""
    anchors.anchor()
