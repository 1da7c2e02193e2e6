"""Ledger entries of rooms as words, and that each clip has its entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from django.db.models import CharField, Exists, OuterRef
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext

from ledger.hooks import entry_texts, line_checks
from ledger.models import Entry
from rooms.models import Clip, Room
from rooms.rules.clips import clip_times


@entry_texts.register("host_download")
def host_download(entry: Entry) -> str | None:
    size = entry.data.get("bytes")
    return gettext("Everything downloaded, %(size)s") % {"size": filesizeformat(size)} if is_number(size) else None


@entry_texts.register("replay_announced")
def replay_announced(entry: Entry) -> str | None:
    policy = policy_of(entry)
    return None if policy is None else gettext("Publication announced: %(policy)s") % {"policy": policy}


@entry_texts.register("replay_narrowed")
def replay_narrowed(entry: Entry) -> str | None:
    policy = policy_of(entry)
    return None if policy is None else gettext("Publication made narrower: %(policy)s") % {"policy": policy}


@entry_texts.register("replay_withdrawn")
def replay_withdrawn(entry: Entry) -> str:
    return gettext("Publication withdrawn")


@entry_texts.register("clip_made")
def clip_made(entry: Entry) -> str | None:
    start, end, voices = (entry.data.get(name) for name in ("from", "to", "voices"))
    if not (is_number(start) and is_number(end) and is_number(voices)):
        return None
    text = gettext("Clip made: %(times)s; voices in it: %(number)s")
    return text % {"times": clip_times(start, end), "number": voices}


@entry_texts.register("clip_handed_out")
def clip_handed_out(entry: Entry) -> str:
    return gettext("Clip handed out")


@entry_texts.register("clip_taken_back")
def clip_taken_back(entry: Entry) -> str | None:
    part = entry.data.get("as")
    if part not in Clip.TakenBackAs.values:
        return None
    return gettext("Clip taken back %(by)s") % {"by": Clip.TakenBackAs(part).label}


@entry_texts.register("clips_switched")
def clips_switched(entry: Entry) -> str:
    return gettext("Clips switched off") if entry.data.get("off") else gettext("Clips switched on")


@line_checks.register("rooms.clips")
def unrecorded_clips() -> Iterator[str]:
    """Yield a sentence for each clip that was made or taken back without an entry."""
    for kind, rows in (
        ("clip_made", Clip.objects.exclude(ready_at=None)),
        ("clip_taken_back", Clip.objects.filter(state=Clip.State.TAKEN_BACK)),
    ):
        entries = Entry.objects.filter(kind=kind).annotate(named=KT("data__clip"))
        missing = rows.filter(~Exists(entries.filter(named=Cast(OuterRef("pk"), CharField()))))
        for pk in missing.order_by("pk").values_list("pk", flat=True):
            yield f"the clip {pk} has no entry {kind}"


@entry_texts.register("recording_retried")
def recording_retried(entry: Entry) -> str | None:
    number = entry.data.get("attempts")
    text = gettext("Recording tried again, failed attempts before: %(number)s")
    return text % {"number": number} if is_number(number) else None


@entry_texts.register("recordings_adopted")
def recordings_adopted(entry: Entry) -> str:
    return gettext("Another folder declared to be that of all recordings")


def policy_of(entry: Entry) -> str | None:
    """Return the name of an entry policy; None for one that is not known."""
    policy = entry.data.get("policy")
    return str(Room.EntryPolicy(policy).label) if policy in Room.EntryPolicy.values else None


def is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
