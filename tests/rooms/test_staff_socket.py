"""The socket of the console's pages: for staff with the permission and a second step, and never for a party."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async as run
from django.conf import settings
from django.test import Client

from core import bus
from people.actions import standing
from people.models import Session, User
from rooms import channels
from rooms.wire.sides import tell_staff
from tests.support.client import OutsidePage
from tests.support.people import person
from tests.support.processes import Site
from tests.support.staff import may_see_cases, sign_in_staff

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 2.0  # seconds in which a report is on the screens of staff
AT_ONCE = 20.0


class ConsolePage(OutsidePage):
    """One page of the console."""

    def __init__(self, user: User | None = None, **options: object) -> None:
        super().__init__(user, **options)
        self.path = "/ws/staff/"


def moderator(handle: str) -> User:
    return may_see_cases(person(handle, is_staff=True))


async def test_staff_learn_of_a_report_at_once_and_parties_do_not(web: Site) -> None:
    anna, bert = await run(moderator)("anna"), await run(moderator)("bert")
    async with ConsolePage(anna) as hers, ConsolePage(bert) as his, OutsidePage(anna) as plain:
        for page in (hers, his):
            await page.wait_for("resync")
        await plain.number_is(0)
        report = {"urgent": True, "case": 7}
        await run(tell_staff)({"type": "report_received", "room": "x", "data": report}, not_to=[bert.pk])
        said = await hers.wait_for("report_received", WITHIN)
        assert said == {"type": "report_received", "room": "x", "data": report}, "keys, and nobody's name"
        await run(tell_staff)({"type": "case_changed", "room": "", "data": {"case": 8}})
        await his.wait_for("case_changed", WITHIN)
        await hers.wait_for("case_changed", WITHIN)
        assert his.of_type("report_received") == [] and [one["type"] for one in plain.seen] == ["unread"]
        assert {one["type"] for one in hers.seen} == {"resync", "report_received", "case_changed"}


async def test_what_is_no_message_to_staff_reaches_nobody(lent_site: Site) -> None:
    anna = await run(moderator)("anna")
    async with ConsolePage(anna) as page:
        await page.wait_for("resync")
        for poison in (
            '{"type":"case_changed","room":"","data":{"case":1},"not_to":"all"}',
            '{"type":"case_changed","room":"","data":{"case":1},"not_to":[true]}',
            '{"type":"seat_taken","seq":1,"data":{}}',
        ):
            bus.publish(channels.staff_channel(), poison)
        await run(tell_staff)({"type": "case_changed", "room": "", "data": {"case": 2}})
        await page.wait_for("case_changed", AT_ONCE)
        assert [one["data"]["case"] for one in page.of_type("case_changed")] == [2]


async def test_who_may_not_hear_it_is_not_let_in(web: Site) -> None:
    anna, carl = await run(moderator)("anna"), await run(person)("carl", is_staff=True)
    nobody = await run(lambda: may_see_cases(person("nobody")))()  # the permission, and no work as staff

    def stale() -> str:
        return sign_in_staff(Client(), anna, ago=86400).cookies[settings.SESSION_COOKIE_NAME].value

    async with ConsolePage() as page:
        assert await page.closed() == 4401 and page.seen == []
    for user in (carl, nobody):
        async with ConsolePage(user) as page:
            assert await page.closed() == 4403 and page.seen == []
    async with ConsolePage(headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={await run(stale)()}"}) as page:
        assert await page.closed() == 4403 and page.seen == []


async def test_it_closes_with_the_permission_the_step_or_the_session(web: Site) -> None:
    anna, bert, carl = [await run(moderator)(name) for name in ("anna", "bert", "carl")]
    async with ConsolePage(anna) as one, ConsolePage(bert) as two, ConsolePage(carl) as three:
        for page in (one, two, three):
            await page.wait_for("resync")
        await run(anna.user_permissions.clear)()
        await run(Session.objects.filter(user=bert).update)(session_data="")
        await run(Session.objects.filter(user=carl).delete)()
        for user in (anna, bert, carl):
            await run(standing.standing_changed)(user, "test")
        assert {await page.closed(AT_ONCE) for page in (one, two, three)} == {4403}
        await run(tell_staff)({"type": "case_changed", "room": "", "data": {"case": 1}})
        assert {len(page.seen) for page in (one, two, three)} == {1}, "and not a word afterwards"
