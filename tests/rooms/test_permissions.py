"""Who may do what: the rules as a table, without a database."""

from __future__ import annotations

from typing import Any

import pytest

from rooms import permissions as may
from rooms.refusals import TABLE

SEAT: dict[str, Any] = {
    "status": "live",
    "signed_in": True,
    "role": "listener",
    "policy": "everyone",
    "followed_by_host": False,
    "consented": True,
    "free_places": 1,
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"status": "ended"}, "room_ended"),
        ({"status": "cancelled"}, "room_ended"),
        ({"status": "scheduled"}, "unknown_room"),
        ({"signed_in": False}, "not_signed_in"),
        ({"policy": "followed"}, "not_allowed_to_speak"),
        ({"policy": "followed", "followed_by_host": True}, None),
        ({"policy": "followed", "role": "host"}, None),
        ({"policy": "invited", "followed_by_host": True}, "not_allowed_to_speak"),
        ({"consented": False}, "not_consented"),
        ({"consented": False, "role": "host"}, "not_consented"),
        ({"free_places": 0}, "stage_full"),
        ({"free_places": 0, "role": "host"}, None),
        ({"free_places": 0, "consented": False}, "not_consented"),
    ],
)
def test_taking_a_seat(change: dict[str, Any], code: str | None) -> None:
    assert may.may_take_seat(**{**SEAT, **change}) == code


@pytest.mark.parametrize(
    ("by_self", "by_role", "target", "code"),
    [
        (True, "speaker", "speaker", None),
        (True, "host", "host", None),
        (True, "listener", None, "not_on_stage"),
        (False, "host", "speaker", None),
        (False, "host", "cohost", None),
        (False, "cohost", "speaker", None),
        (False, "cohost", "host", "not_allowed"),
        (False, "speaker", "speaker", "not_host"),
        (False, "listener", None, "not_host"),
        (False, "host", None, "not_on_stage"),
    ],
)
def test_muting(by_self: bool, by_role: str, target: str | None, code: str | None) -> None:
    assert may.may_mute(status="live", by_self=by_self, by_role=by_role, target_role=target) == code
    assert may.may_mute(status="ended", by_self=by_self, by_role=by_role, target_role=target) == "room_ended"


@pytest.mark.parametrize(
    ("by_self", "on_stage", "consented", "code"),
    [
        (True, True, True, None),
        (True, True, False, "not_consented"),
        (True, False, True, "not_on_stage"),
        (False, True, True, "not_allowed"),
    ],
)
def test_only_oneself_unmutes(by_self: bool, on_stage: bool, consented: bool, code: str | None) -> None:
    assert may.may_unmute(status="live", by_self=by_self, on_stage=on_stage, consented=consented) == code


@pytest.mark.parametrize(
    ("by_role", "target", "code"),
    [
        ("host", "speaker", None),
        ("host", "cohost", None),
        ("cohost", "speaker", None),
        ("cohost", "host", "not_allowed"),
        ("host", "host", "not_allowed"),
        ("speaker", "speaker", "not_host"),
        ("host", None, "not_on_stage"),
    ],
)
def test_taking_people_off_the_stage(by_role: str, target: str | None, code: str | None) -> None:
    assert may.may_unseat(status="live", by_role=by_role, target_role=target) == code


@pytest.mark.parametrize(("role", "code"), [("host", None), ("cohost", "not_host"), ("speaker", "not_host")])
def test_only_the_host_ends(role: str, code: str | None) -> None:
    assert may.may_end(status="live", role=role) == code
    assert may.may_end(status="live", role=role, is_staff=True) is None
    assert may.may_end(status="ended", role=role) == "room_ended"


@pytest.mark.parametrize(
    ("policy", "signed_in", "follows", "code"),
    [
        ("anyone", False, False, None),
        ("signed_in", False, False, "not_signed_in"),
        ("signed_in", True, False, None),
        ("followers", False, False, "not_signed_in"),
        ("followers", True, False, "not_allowed"),
        ("followers", True, True, None),
        ("invited", True, True, "not_allowed"),
    ],
)
def test_coming_in(policy: str, signed_in: bool, follows: bool, code: str | None) -> None:
    assert may.may_enter(policy=policy, signed_in=signed_in, is_host=False, follows_host=follows) == code
    assert may.may_enter(policy=policy, signed_in=True, is_host=True, follows_host=False) is None


def test_every_refusal_has_a_status_and_a_sentence() -> None:
    for code, refusal in TABLE.items():
        assert 400 <= refusal.status < 600, code
        assert str(refusal.text).endswith("."), code
