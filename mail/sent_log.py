"""Log outside of the database of the mails that the mail server took, so that an outbox from a backup sends none twice.

A line is keyed with LEDGER_KEY and says nothing about the mail. It is written once the server has the mail and before
the database knows: so a mail with a line was sent, also where the worker died between the two.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Min
from django.utils.crypto import constant_time_compare, salted_hmac

from core import append_file
from core.after_restore import after_restore
from mail.models import Mail

log = logging.getLogger(__name__)


def note_sent(row: Mail, now: datetime) -> None:
    """Write that the mail server took a mail. A disk that is full keeps no mail: the error is logged."""
    line = {"mail": digest(row), "at": now.astimezone(UTC).isoformat()}
    try:
        append_file.append_rows(file_of(now), [{**line, "signed": signature(line)}])
    except OSError as error:
        log.error("that mail %s was sent is not noted outside: %s", row.pk, error)


def mark_sent_again() -> int:
    """Mark waiting mails as sent that a line outside says were. Returns how many."""
    waiting = Mail.objects.filter(state=Mail.State.WAITING)
    oldest = waiting.aggregate(oldest=Min("made_at"))["oldest"]
    if oldest is None:
        return 0
    sent = dict(lines_since(oldest))
    marked = 0
    for row in waiting.order_by("pk").iterator(500):
        if (at := sent.get(digest(row))) is not None:
            marked += waiting.filter(pk=row.pk).update(state=Mail.State.SENT, sent_at=at, source=b"", error="")
    return marked


def digest(row: Mail) -> str:
    """Return a keyed checksum of a mail that was not sent yet (its source is still there)."""
    source = hashlib.sha256(bytes(row.source)).hexdigest()
    return _keyed("mail", [row.to, row.made_at.astimezone(UTC).isoformat(), source])


def signature(line: dict[str, Any]) -> str:
    return _keyed("line", [line["mail"], line["at"]])


def _keyed(purpose: str, value: list[str]) -> str:
    made = salted_hmac(f"mail.sent.{purpose}", json.dumps(value), secret=settings.LEDGER_KEY, algorithm="sha256")
    return made.hexdigest()


def file_of(moment: datetime) -> Path:
    """Return the file for mails that are sent in this month (UTC)."""
    return Path(settings.SENT_MAILS_DIR) / f"{moment.astimezone(UTC):%Y-%m}.jsonl"


def lines_since(moment: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield (digest, moment) of the mails sent in this month and later. Lines that are not ours are logged."""
    first, folder = file_of(moment).name, Path(settings.SENT_MAILS_DIR)
    for file in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        for number, line in append_file.read_rows(file) if file.name >= first else ():
            fields = {name: str((line or {}).get(name, "")) for name in ("mail", "at", "signed")}
            if constant_time_compare(fields["signed"], signature(fields)):
                yield fields["mail"], datetime.fromisoformat(fields["at"])
            else:
                log.error("%s, line %d is none of ours: left out", file.name, number)


@after_restore.register("mail.sent")
def after_a_restore(now: datetime) -> str:
    """Mark the mails of a restored outbox that were sent since its backup was made."""
    marked = mark_sent_again()
    return f"{marked} mails were sent since it was made: not sent again" if marked else ""
