"""Tidying deletes what has expired; a row that cannot be deleted does not stop the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from core.batches import run_each
from people.actions.tidying import tidy_accounts
from people.models import ApiToken, User
from rooms.models import Seat
from tests.support.people import people, person
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


def test_a_sign_up_that_cannot_be_deleted_keeps_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """One of them sits on a stage, as no sign-up can: the database holds on to it."""
    room, stale = open_room(), people(3)
    Seat.objects.create(room=room, user=stale[1], role=Seat.Role.SPEAKER, place=1)
    long_ago = timezone.now() - timedelta(days=settings.SIGNUP_DAYS + 1)
    User.objects.filter(pk__in=[user.pk for user in stale]).update(signing_up=True, date_joined=long_ago)
    ApiToken.objects.create(user=person(), name="old", hash="0" * 64, prefix="x", expires_at=long_ago - timedelta(60))
    assert tidy_accounts() == (0, 1, 2)
    assert [user.pk for user in User.objects.filter(signing_up=True)] == [stale[1].pk]
    assert "deleting a sign-up failed" in caplog.text


def test_each_has_its_turn_and_a_task_that_is_asked_to_stop_stops() -> None:
    from celery.exceptions import SoftTimeLimitExceeded

    done: list[int] = []

    def work(number: int) -> None:
        if number == 1:
            raise KeyError(number)
        if number == 3:
            raise SoftTimeLimitExceeded
        done.append(number)

    assert run_each([0, 1, 2], work, "counting") == 2
    with pytest.raises(SoftTimeLimitExceeded):
        run_each([3, 4], work, "counting")
    assert done == [0, 2]
