"""Cases for tests of their page: reported rooms, staff who are signed in, forms of decisions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from moderation.models import Case
from moderation.rulebook import current_rules
from people.models import User
from rooms.models import Room
from tests.support.people import person
from tests.support.reports import report
from tests.support.rooms import ended_room
from tests.support.staff import sign_in_staff, with_fresh_step

MODERATOR = (
    *("view_case", "claim_case", "decide_case", "approve_decision", "ordinary_case"),
    "review_appeal",
)


def staff(handle: str = "", rights: tuple[str, ...] = MODERATOR, **facts: Any) -> User:
    user = person(handle, is_staff=True, **facts)
    rows = Permission.objects.filter(content_type__app_label="moderation", codename__in=rights)
    user.user_permissions.add(*rows)
    return with_fresh_step(User.objects.get(pk=user.pk))


def client_of(user: User) -> Client:
    return sign_in_staff(Client(), user)


def at(case: Case, name: str = "change", *more: object) -> str:
    return reverse(f"admin:moderation_case_{name}", args=[case.pk, *more])


def reported(room: Room | None = None, **values: Any) -> tuple[Case, User]:
    """A case about bert in an ended room, from 0:01 to 0:04."""
    if room is None:
        room = ended_room()
        Room.objects.filter(pk=room.pk).update(
            started_at=timezone.now() - timedelta(minutes=5), ended_at=timezone.now()
        )
    bert = values.pop("subject", None) or person("bert", language="nl")
    row = report(person("anna"), room, subject=bert, from_ms=1000, to_ms=4000, words="He threatens her", **values)
    return row.case, bert


def draft(**values: Any) -> dict[str, Any]:
    rule = current_rules()[0]
    return {
        "outcome": "violation",
        "rule": rule.pk,
        "ground": "rule",
        "facts": "You threatened a guest.",
        "public_facts": "A speaker threatened a guest.",
        "measure": ["no_stage"],
        "days_no_stage": "14",
        **values,
    }


def decided(client: Client, case: Case, values: dict[str, Any], **more: Any) -> Any:
    """Preview a draft, then decide it from the preview, as without script."""
    seen = client.post(at(case, "decide"), {**values, "do": "preview"})
    assert seen.status_code == 200, seen.content.decode()
    stamp = re.search(r'name="stamp" value="(\w+)"', seen.content.decode())
    assert stamp is not None
    return client.post(at(case, "decide"), {**values, "do": "decide", "stamp": stamp[1], **more})
