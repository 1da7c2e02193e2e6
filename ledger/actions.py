"""The only module that writes ledger entries."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from ledger import chain
from ledger.models import Entry, Text

LOCK = 0x5354_4C45  # "STLE": the advisory lock of the chain's end


class NotInTransaction(RuntimeError):
    """An entry was about to be written outside of the transaction of the act that it records."""


@dataclass(frozen=True)
class Act:
    """An act to record: ids and codes in `data`; people's words in `texts`, from which they can be erased."""

    kind: str
    subject: str
    actor: int | None
    data: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def record(
    kind: str,
    subject: str,
    actor: int | None,
    data: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> Entry:
    """Append one entry, as the last step of the act's transaction: other writers wait for its commit from here on."""
    return record_all([Act(kind, subject, actor, data or {}, texts or {})], at)[0]


def record_all(acts: Sequence[Act], at: datetime | None = None) -> list[Entry]:
    """Append entries in this order, as the last step of a transaction. `at` is the moment of all of them (default:
    now)."""
    if not connection.in_atomic_block:
        raise NotInTransaction("record a ledger entry as the last step of the transaction that it tells of")
    checked = [(act, chain.sealable(act.data)) for act in acts]
    at = at or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    seq, previous = head()
    entries, texts = [], []
    for act, data in checked:
        seq += 1
        salted = {name: (secrets.token_hex(32), text) for name, text in act.texts.items()}
        entry = Entry(
            seq=seq,
            kind=act.kind,
            subject=act.subject,
            actor=act.actor,
            at=at,
            data=data,
            commitments={name: chain.commit(salt, text) for name, (salt, text) in salted.items()},
            previous=previous,
        )
        entry.seal = previous = expected_seal(entry)
        entries.append(entry)
        texts += [Text(entry_seq=seq, name=name, salt=salt, text=text) for name, (salt, text) in salted.items()]
    Entry.objects.bulk_create(entries, batch_size=500)
    Text.objects.bulk_create(texts, batch_size=500)
    return entries


def head() -> tuple[int, str]:
    """Return number and seal of the last entry."""
    last = Entry.objects.order_by("-seq").values_list("seq", "seal").first()
    return last or (0, chain.GENESIS)


def expected_seal(entry: Entry) -> str:
    """Compute the seal of an entry from its values and LEDGER_KEY."""
    return chain.seal(
        settings.LEDGER_KEY,
        seq=entry.seq,
        kind=entry.kind,
        subject=entry.subject,
        actor=entry.actor,
        at=entry.at,
        data=entry.data,
        commitments=entry.commitments,
        previous=entry.previous,
    )


ERASED = "texts_erased"


def erase_texts(subjects: Iterable[str], actor: int | None, rule: str) -> int:
    """Erase all texts about these subjects and record which, as the last step of a transaction. Returns the number of
    entries that lost a text."""
    acts = []
    for subject in sorted(set(subjects)):
        seqs = sorted(Entry.objects.filter(subject=subject).exclude(commitments={}).values_list("seq", flat=True))
        gone = Text.objects.filter(entry_seq__in=seqs)
        found = sorted(set(gone.values_list("entry_seq", flat=True)))
        if found:
            gone.delete()
            acts.append(Act(ERASED, subject, actor, {"entries": found, "rule": rule}))
    if acts:
        record_all(acts)
    return sum(len(act.data["entries"]) for act in acts)
