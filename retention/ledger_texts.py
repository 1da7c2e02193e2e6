"""The ledger and purges: that each receipt has its entry and each entry its receipt, and entries as words."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Concat
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, ngettext

from ledger.hooks import entry_texts, line_checks
from ledger.models import Entry
from retention.models import PurgeReceipt

PURGED = "purged"
CHUNK = 2_000


@line_checks.register("retention.receipts")
def unrecorded_purges() -> Iterator[str]:
    """Yield the finished receipts that no entry commits to, and the entries whose receipt is gone or another one."""
    subject = Concat(Value("room:"), Cast(OuterRef("room"), CharField()))
    entries = Entry.objects.annotate(receipt=KT("data__receipt")).filter(
        kind=PURGED, subject=subject, receipt=OuterRef("digest")
    )
    finished = PurgeReceipt.objects.filter(finished_at__isnull=False).filter(~Exists(entries)).order_by("pk")
    for room in finished.values_list("room", flat=True).iterator(CHUNK):
        yield f"the purge of room {room} has a receipt and no entry for it"
    receipts = PurgeReceipt.objects.annotate(subject=Concat(Value("room:"), Cast(F("room"), CharField()))).filter(
        subject=OuterRef("subject"), digest=OuterRef("receipt")
    )
    recorded = Entry.objects.annotate(receipt=KT("data__receipt")).filter(kind=PURGED).filter(~Exists(receipts))
    for seq in recorded.order_by("seq").values_list("seq", flat=True).iterator(CHUNK):
        yield f"entry {seq} records a purge whose receipt is gone, or another one"


@entry_texts.register(PURGED)
def purged(entry: Entry) -> str | None:
    files, size = entry.data.get("files"), entry.data.get("bytes")
    if not isinstance(files, int) or not isinstance(size, int):
        return None
    text = ngettext("Deleted: %(number)s file, %(size)s", "Deleted: %(number)s files, %(size)s", files)
    return text % {"number": files, "size": filesizeformat(size)}


@entry_texts.register("purge_reapplied")
def purge_reapplied(entry: Entry) -> str:
    return gettext("Deletion repeated: a restored backup had brought it back")


@entry_texts.register("purged_again")
def purged_again(entry: Entry) -> str:
    return gettext("Deleted again: something had reappeared")
