"""That each own-data download that was asked for, and each that is ready, has its entry in the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import CharField, Exists, OuterRef
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from ledger.hooks import line_checks
from ledger.models import Entry
from people.models import DataExport


@line_checks.register("people.own_data")
def unrecorded_downloads() -> Iterator[str]:
    """Yield a sentence for each download without its entry."""
    for kind, rows in (
        ("own_data_asked", DataExport.objects.all()),
        ("own_data_made", DataExport.objects.exclude(ready_at=None)),
        ("own_data_downloaded", DataExport.objects.exclude(downloaded_at=None)),
    ):
        entries = Entry.objects.filter(kind=kind).annotate(named=KT("data__export"))
        missing = rows.filter(~Exists(entries.filter(named=Cast(OuterRef("pk"), CharField()))))
        for pk in missing.order_by("pk").values_list("pk", flat=True):
            yield f"the own-data download {pk} has no entry {kind}"
