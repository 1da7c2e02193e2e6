"""Parts that tests of the pages of cases share."""

from __future__ import annotations

import pytest
from django.test import Client

from moderation.models import Case
from people.models import User
from tests.support.case_pages import at, client_of, reported, staff


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
