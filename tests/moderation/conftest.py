"""Parts that tests of the pages of cases share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from moderation.models import Case
from people.models import User
from tests.support.case_pages import at, client_of, reported, staff
from tests.support.word_hits import Spoken, confirm, spoken_room


@pytest.fixture
def say(django_capture_on_commit_callbacks: Any) -> Callable[..., None]:
    """Confirm a line of captions, and do what follows its commit."""

    def confirmed(*args: Any, **named: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            confirm(*args, **named)

    return confirmed


@pytest.fixture
def spoken() -> Spoken:
    """A live room in which bert said something, that nobody reported."""
    room, bert = spoken_room("anna", "bert")
    confirm(room, bert, 1, "you are a fool")
    return room, bert


@pytest.fixture
def at_work() -> tuple[Client, User, Case, User]:
    """A moderator who claimed a case and looked at what it is about."""
    case, bert = reported()
    mod = staff("mod")
    client = client_of(mod)
    client.post(at(case, "claim"), {"do": "claim"})
    client.post(at(case, "look"), {"what": "lines", "from": "0:01", "to": "0:04"})
    case.refresh_from_db()
    assert case.claimed_by == mod
    return client, mod, case, bert
