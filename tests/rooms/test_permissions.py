"""The rules of a room as a table, without a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rooms.rules import permissions as may
from rooms.rules.refusals import TABLE

SPEAKER = may.Facts("live", "anyone", "everyone", True, role="speaker", seated=True, consented=True)
LISTENER = replace(SPEAKER, role="listener", seated=False)
NOBODY = replace(LISTENER, signed_in=False, kept_off_stage="not_signed_in", consented=False)
CLOSED: dict[str, Any] = {"kept_out": "account_closed", "kept_off_stage": "account_closed"}
NO_STAGE: dict[str, Any] = {"kept_off_stage": "no_stage"}


def of(role: str) -> may.Facts:
    """Somebody of this role, seated where the role says so."""
    return replace(LISTENER, role=role, seated=role != "listener")


@pytest.mark.parametrize(
    ("change", "free", "code"),
    [
        ({}, 1, None),
        ({"status": "ended"}, 1, "room_ended"),
        ({"status": "cancelled"}, 1, "room_cancelled"),
        ({"status": "scheduled"}, 1, "not_open_yet"),
        ({"signed_in": False, "kept_off_stage": "not_signed_in"}, 1, "not_signed_in"),
        ({"speak_policy": "followed"}, 1, "not_allowed_to_speak"),
        ({"speak_policy": "followed", "followed_by_host": True}, 1, None),
        ({"speak_policy": "followed", "role": "host"}, 1, None),
        ({"speak_policy": "invited", "followed_by_host": True}, 1, "no_invitation"),
        ({"speak_policy": "invited", "invited_to_speak": True}, 1, None),
        ({"speak_policy": "followed", "invited_to_speak": True}, 1, None),
        ({"entry_policy": "invited", "invited": True}, 1, None),
        ({"removed": True}, 1, "not_allowed"),
        ({"blocked_by_host": True}, 1, "not_allowed"),
        ({"blocks_host": True}, 1, "you_blocked_host"),
        ({"speak_policy": "invited", "role": "speaker", "seated": True}, 1, None),
        ({"entry_policy": "followers"}, 1, "not_allowed"),
        ({"entry_policy": "followers", "follows_host": True}, 1, None),
        ({"entry_policy": "invited", "former_host": True}, 1, None),
        ({"entry_policy": "invited", "former_host": True, "removed": True}, 1, "not_allowed"),
        ({"speak_policy": "invited", "former_host": True}, 1, "no_invitation"),
        ({"entry_policy": "invited"}, 1, "not_allowed"),
        (CLOSED, 1, "account_closed"),
        ({**CLOSED, "role": "host"}, 1, "account_closed"),
        (NO_STAGE, 1, "no_stage"),
        ({**NO_STAGE, "role": "host"}, 1, "no_stage"),
        ({"consented": False}, 1, "not_consented"),
        ({"consented": False, "role": "host"}, 1, "not_consented"),
        ({}, 0, "stage_full"),
        ({"role": "host"}, 0, None),
        ({"consented": False}, 0, "not_consented"),
    ],
)
def test_taking_a_seat(change: dict[str, Any], free: int, code: str | None) -> None:
    assert may.may_take_seat(replace(LISTENER, **change), free_places=free) == code


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
    assert may.may_mute(of(by_role), by_self=by_self, target_role=target) == code
    assert may.may_mute(replace(of(by_role), status="ended"), by_self=by_self, target_role=target) == "room_ended"
    assert may.may_mute(replace(of(by_role), **CLOSED), by_self=by_self, target_role=target) == "account_closed"


@pytest.mark.parametrize(
    ("by_self", "change", "code"),
    [
        (True, {}, None),
        (True, {"consented": False}, "not_consented"),
        (True, {"role": "listener", "seated": False}, "not_on_stage"),
        (True, CLOSED, "account_closed"),
        (True, NO_STAGE, "no_stage"),
        (True, {"entry_policy": "invited", "speak_policy": "invited"}, None),
        (True, {"status": "ended"}, "room_ended"),
        (False, {}, "not_allowed"),
    ],
)
def test_only_oneself_unmutes(by_self: bool, change: dict[str, Any], code: str | None) -> None:
    assert may.may_unmute(replace(SPEAKER, **change), by_self=by_self) == code


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
    assert may.may_act_on_speaker(of(by_role), target_role=target) == code
    assert may.may_act_on_speaker(replace(of(by_role), **CLOSED), target_role=target) == "account_closed"


@pytest.mark.parametrize(("role", "code"), [("host", None), ("cohost", "not_host"), ("speaker", "not_host")])
def test_only_the_host_ends(role: str, code: str | None) -> None:
    assert may.may_end(of(role)) == code
    assert may.may_end(of(role), as_staff=True) is None
    assert may.may_end(replace(of(role), status="ended")) == "room_ended"
    assert may.may_end(replace(of(role), **CLOSED)) == "account_closed"


@pytest.mark.parametrize(
    ("role", "code"), [("host", None), ("cohost", None), ("speaker", "not_host"), ("listener", "not_host")]
)
def test_host_and_cohosts_say_who_may_come_in(role: str, code: str | None) -> None:
    assert may.may_set_entry_policy(of(role)) == code
    assert may.may_set_entry_policy(of(role), as_staff=True) is None
    assert may.may_set_entry_policy(replace(of(role), status="ended"), as_staff=True) == "room_ended"


@pytest.mark.parametrize(
    ("policy", "nobody", "stranger", "follower"),
    [
        ("anyone", None, None, None),
        ("signed_in", "not_signed_in", None, None),
        ("followers", "not_signed_in", "not_allowed", None),
        ("invited", "not_signed_in", "not_allowed", "not_allowed"),
    ],
)
def test_coming_in(policy: str, nobody: str | None, stranger: str | None, follower: str | None) -> None:
    listener = replace(LISTENER, entry_policy=policy)
    assert may.may_enter(replace(NOBODY, entry_policy=policy)) == nobody
    assert may.may_enter(listener) == stranger
    assert may.may_enter(replace(listener, follows_host=True)) == follower
    assert may.may_enter(replace(listener, kept_out="account_suspended")) == "account_suspended"
    for role in ("host", "cohost", "speaker"):
        assert may.may_enter(replace(of(role), entry_policy=policy)) is None, "a policy puts nobody off the stage"
        assert may.may_enter(replace(of(role), kept_out="account_closed")) == "account_closed"


def test_every_refusal_has_a_status_and_a_sentence() -> None:
    for code, refusal in TABLE.items():
        assert 400 <= refusal.status < 600, code
        assert str(refusal.text).endswith("."), code
