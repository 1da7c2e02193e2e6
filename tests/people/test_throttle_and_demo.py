"""The token bucket, and the accounts of the demo."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
import redis.asyncio
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from core.throttle import Limit, atake, bucket, connection, take
from people.demo import ACCOUNTS, HOST, SPEAKERS, accounts_ready, password
from people.models import Creator, User
from people.refusals import PeopleRefused
from rooms.models import Room
from social.models import Follow, Message
from tests.support.redis_away import redis_away
from tests.support.staff import with_fresh_step


def test_a_bucket_gives_its_size_at_once_and_then_its_rate() -> None:
    assert [take("a", per_minute=60, burst=3) for _number in range(3)] == [0.0, 0.0, 0.0]
    wait = take("a", per_minute=60, burst=3)
    assert 0 < wait <= 1.0
    assert take("b", per_minute=60, burst=3) == 0.0
    time.sleep(wait + 0.01)
    assert take("a", per_minute=60, burst=3) == 0.0
    assert 0 < connection().pttl(bucket("a")) <= 5000


def test_fifty_at_once_get_no_more_than_the_bucket_holds() -> None:
    with ThreadPoolExecutor(25) as pool:
        waits = list(pool.map(lambda _number: take("race", per_minute=1, burst=10), range(50)))
    assert waits.count(0.0) == 10


async def test_sockets_and_pages_share_a_bucket() -> None:
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
        assert await atake(client, "both", per_minute=1, burst=2) == 0.0
        assert take("both", per_minute=1, burst=2) == 0.0
        assert await atake(client, "both", per_minute=1, burst=2) > 50


def test_without_redis_people_are_not_locked_out(settings: Any) -> None:
    with redis_away(settings):
        for _number in range(3):
            Limit("x", 1, 1, PeopleRefused).check("1")


@pytest.mark.django_db
def test_the_demo_can_be_seeded_at_every_start() -> None:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    counts = User.objects.count(), Follow.objects.count(), Creator.objects.count()
    priya = User.objects.get(handle=SPEAKERS[1])
    priya.display_name = "Renamed"
    priya.set_password("my own now")
    priya.save()
    again = StringIO()
    call_command("seed_demo", stdout=again)
    assert (User.objects.count(), Follow.objects.count(), Creator.objects.count()) == counts
    assert counts[0] == len(ACCOUNTS) == 12
    assert out.getvalue().count(password()) == 12 and again.getvalue().count(password()) == 11
    lines = [line for line in out.getvalue().splitlines() if password() in line]
    assert len({line.index(password()) for line in lines}) == 1, "one column below the other"
    assert "(changed)" in again.getvalue() and "Renamed" in again.getvalue()


@pytest.mark.django_db
def test_the_demo_has_a_prepared_room_with_an_invitation_and_messages_once() -> None:
    for _time in range(2):
        call_command("seed_demo", stdout=StringIO())
    room = Room.objects.get(status=Room.Status.SCHEDULED)
    assert room.host.handle == HOST and room.starts_zone == "Europe/Amsterdam"
    assert list(room.invitations.values_list("user__handle", "kind", "state")) == [(SPEAKERS[0], "speak", "pending")]
    assert sorted(Message.objects.exclude(sender=None).values_list("sender__handle", "kind")) == [
        (HOST, "invitation"),
        (HOST, "text"),
        (SPEAKERS[0], "text"),
    ]


@pytest.mark.django_db
def test_the_demo_s_people_are_what_their_table_says(client: Client) -> None:
    call_command("seed_demo", stdout=StringIO())
    host = User.objects.get(handle=HOST)
    assert host.creator.is_member
    assert set(SPEAKERS) <= set(Follow.objects.filter(follower=host).values_list("followed__handle", flat=True))
    roles = {account.role: User.objects.get(handle=account.handle) for account in ACCOUNTS}
    assert roles["admin"].is_superuser and not roles["senior"].is_superuser
    assert [roles[role].is_staff for role in ("moderator", "senior", "auditor", "listener")] == [
        True,
        True,
        True,
        False,
    ]
    senior, moderator = with_fresh_step(roles["senior"]), with_fresh_step(roles["moderator"])
    assert senior.has_perm("people.view_address") and not moderator.has_perm("people.view_address")
    assert client.post("/accounts/login/", {"login": HOST, "password": password()}).status_code == 302


@pytest.mark.django_db
def test_apps_above_add_to_the_demo() -> None:
    def receiver(sender: object, people: dict[str, User], **_more: object) -> str:
        return f"room of {people[HOST].display_name}"

    accounts_ready.connect(receiver)
    try:
        out = StringIO()
        call_command("seed_demo", stdout=out)
    finally:
        accounts_ready.disconnect(receiver)
    assert "room of Marijke Visser" in out.getvalue()


def test_another_installation_has_another_password(settings: object) -> None:
    first = password()
    settings.SECRET_KEY = "another " * 8  # type: ignore[attr-defined]
    assert password() != first
