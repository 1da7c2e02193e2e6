"""Pages of rules, clocks, holds and own initiative: rights by role, stale and bad forms, and what parties see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger.models import Entry
from moderation.models import Case, CaseParty, LegalHold, Rule, RuleVersion
from people.groups import ROLES
from people.models import User
from retention.models import PurgeReceipt
from retention.purge import sweep
from rooms.models import Room
from tests.support.people import person
from tests.support.rooms import ended_room, open_room, seated
from tests.support.staff import sign_in_staff

pytestmark = pytest.mark.django_db
CLOCKS, RULES, INITIATIVE = (
    "/admin/moderation/roomclock/",
    "/admin/moderation/rule/",
    "/admin/moderation/roomclock/open-case/",
)
WORDING = {"title_en": "No shouting", "text_en": "Speak.", "title_nl": "Niet roepen", "text_nl": "Praat."}


def staff(role: str, user: User | None = None) -> Client:
    user = user or person()
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    user.groups.add(Group.objects.get(name=ROLES[role]))
    return sign_in_staff(Client(), user)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def held(room: Room, by: User | None = None) -> LegalHold:
    return LegalHold.objects.create(
        room=room,
        reference="OM-17",
        reason="court order",
        set_by=by or person(name="Setter"),
        expires_at=timezone.now() + timedelta(days=99),
    )


PAGES = {
    RULES: {"moderator", "senior", "child-safety"},
    f"{RULES}no-hate/change/": {"moderator", "senior", "child-safety"},
    f"{RULES}add/": {"senior"},
    "/admin/moderation/category/hate/change/": {"moderator", "senior", "child-safety"},
    "/admin/moderation/category/add/": {"senior"},
    CLOCKS: {"moderator", "senior", "auditor"},
    f"{CLOCKS}ROOM/change/": {"moderator", "senior", "auditor"},
    INITIATIVE: {"senior"},
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_pages_and_no_other(role: str) -> None:
    browser, room = staff(role), ended_room()
    for page, roles in PAGES.items():
        status = browser.get(page.replace("ROOM", str(room.pk))).status_code
        assert status == (200 if role in roles else 403), page
    assert ("open-case" in text(browser.get("/admin/"))) == (role == "senior")


@pytest.mark.parametrize("role", [role for role in ROLES if role != "senior"])
def test_nobody_but_seniors_posts(role: str) -> None:
    browser, room = staff(role), ended_room()
    hold = held(room)
    for page, form in (
        (f"{RULES}no-hate/change/", {**WORDING, "after": 1, "save": 1}),
        (f"{RULES}no-hate/act/", {"act": "down"}),
        ("/admin/moderation/category/hate/act/", {"act": "retire"}),
        (f"{CLOCKS}{room.pk}/change/", {"reference": "x", "reason": "x", "until": "2100-01-01"}),
        (f"{CLOCKS}{room.pk}/holds/{hold.pk}/lift/", {"reason": "x"}),
        (f"{INITIATIVE}?room={room.slug}", {"about": "room", "category": "other", "reason": "x"}),
    ):
        assert browser.post(page, form).status_code == 403, page
    assert (RuleVersion.objects.filter(number=2).exists(), Case.objects.exists()) == (False, False)
    assert LegalHold.objects.get().lifted_at is None


def test_a_rule_is_previewed_and_put_into_force_in_every_language() -> None:
    browser, page = staff("senior"), f"{RULES}no-hate/change/"
    form = {**WORDING, "after": 1}
    preview = browser.post(page, {**form, "preview": 1})
    assert preview.status_code == 200 and "Not in force yet." in text(preview) and "Niet roepen" in text(preview)
    assert RuleVersion.objects.filter(rule="no-hate").count() == 1
    assert browser.post(page, {**form, "text_nl": " ", "save": 1}).status_code == 400
    assert browser.post(page, {**form, "save": 1}).status_code == 302
    assert "No shouting" in text(browser.get(page)) and "No hate" in text(browser.get(page)), "its history"
    stale = browser.post(page, {**form, "title_en": "Other", "save": 1})
    assert stale.status_code == 400 and "Somebody else changed this meanwhile" in text(stale) and "Other" in text(stale)
    for after in ("", "0", "x", "9" * 30):
        assert browser.post(page, {**form, "title_en": "Other", "after": after, "save": 1}).status_code == 400


def test_rules_and_categories_are_added_retired_and_moved() -> None:
    browser = staff("senior")
    assert browser.post(f"{RULES}add/", {**WORDING, "key": "No!", "save": 1}).status_code == 400
    assert browser.post(f"{RULES}add/", {**WORDING, "key": "no-hate", "save": 1}).status_code == 400
    assert browser.post(f"{RULES}add/", {**WORDING, "key": "no-shouting", "save": 1}).status_code == 302
    titles = {"title_en": "Shouting", "title_nl": "Roepen", "key": "shouting", "rule": "no-shouting"}
    add = "/admin/moderation/category/add/"
    assert browser.post(add, {**titles, "severity": "5", "save": 1}).status_code == 400
    assert browser.post(add, {**titles, "severity": "2", "save": 1}).status_code == 302
    assert browser.post(f"{RULES}no-shouting/act/", {"act": "up"}).status_code == 302
    refused = browser.post(f"{RULES}no-shouting/act/", {"act": "retire"}, follow=True)
    assert "Categories of reports name this rule" in text(refused)
    assert browser.post("/admin/moderation/category/shouting/act/", {"act": "retire"}).status_code == 302
    assert browser.post(f"{RULES}no-shouting/act/", {"act": "retire"}).status_code == 302
    assert Rule.objects.get(key="no-shouting").retired_at is not None and "Retired" in text(browser.get(RULES))
    assert browser.post(f"{RULES}no-shouting/act/", {"act": "burn"}).status_code == 400
    assert browser.get(f"{RULES}no-shouting/act/").status_code == 405
    assert browser.post(f"{RULES}nothing/act/", {"act": "up"}).status_code == 404
    assert browser.get(f"{RULES}nothing/change/").status_code == 404


def test_a_hold_is_set_seen_and_lifted() -> None:
    browser, room = staff("senior"), ended_room()
    page = f"{CLOCKS}{room.pk}/change/"
    form = {"reference": "OM-17", "reason": "court order", "until": f"{timezone.localdate() + timedelta(days=99)}"}
    for wrong in ({"until": "2020-01-01"}, {"until": "9999-12-31"}, {"until": "soon"}, {"reference": " "}):
        assert browser.post(page, {**form, **wrong}).status_code == 400
    assert browser.post(page, form).status_code == 302
    again = browser.post(page, form)
    assert again.status_code == 400 and "already holds this recording" in text(again)
    hold = LegalHold.objects.get()
    assert "court order" in text(browser.get(page)) and "OM-17" in text(staff("auditor").get(page))
    moderators = text(staff("moderator").get(page))
    assert str(hold.set_by.display_name) in moderators and "OM-17" not in moderators and "court" not in moderators
    assert room.slug in text(browser.get(f"{CLOCKS}?show=held"))
    lift = f"{CLOCKS}{room.pk}/holds/{hold.pk}/lift/"
    assert "Say why" in text(browser.post(lift, {"reason": " "}, follow=True))
    assert browser.post(lift, {"reason": "withdrawn"}).status_code == 302
    assert "This hold has ended already" in text(browser.post(lift, {"reason": "again"}, follow=True))
    assert "withdrawn" in text(browser.get(page)) and room.slug not in text(browser.get(f"{CLOCKS}?show=held"))
    assert browser.post(f"{CLOCKS}{ended_room('anna').pk}/holds/{hold.pk}/lift/", {"reason": "x"}).status_code == 404


def test_staff_who_were_part_of_a_room_see_its_clock_as_the_host_does() -> None:
    room = open_room("anna")
    sat = seated("sat", room)
    browser = staff("senior", sat)
    Room.objects.filter(pk=room.pk).update(status="ended", ended_at=timezone.now(), end_reason="host")
    hold = held(room, person(name="Setter"))
    case = Case.objects.create(kind="room", room=room, reporter_count=1)
    CaseParty.objects.create(case=case, user=sat)
    page = f"{CLOCKS}{room.pk}/change/"
    for answer in (browser.get(page), browser.get(CLOCKS)):
        assert answer.status_code == 200 and "You were part of this room" in text(answer)
        assert "Setter" not in text(answer) and f"case {case.pk}" not in text(answer) and "OM-17" not in text(answer)
    assert room.slug not in text(browser.get(f"{CLOCKS}?show=held")) and room.slug in text(browser.get(CLOCKS))
    form = {"reference": "x", "reason": "x", "until": f"{timezone.localdate()}"}
    assert browser.post(page, form).status_code == 403 and LegalHold.objects.count() == 1
    lifted = browser.post(f"{CLOCKS}{room.pk}/holds/{hold.pk}/lift/", {"reason": "x"}, follow=True)
    assert "You were part of this room" in text(lifted) and LegalHold.objects.get().lifted_at is None
    assert "You were part" in text(browser.get(f"{INITIATIVE}?room={room.slug}"))
    other = text(staff("senior").get(CLOCKS))
    assert "Setter" in other and f"case {case.pk}" in other


def test_staff_who_took_part_in_a_room_read_neither_its_receipt_nor_the_entry_of_its_purge() -> None:
    """The rule of a purge names violations and secret orders; here an order, and a case after it."""
    room, reporter = ended_room(), person("reporter")
    hold = held(room)
    LegalHold.objects.filter(pk=hold.pk).update(set_at=timezone.now() - timedelta(days=1))
    case = Case.objects.create(
        kind="room", room=room, state="decided", opened_at=timezone.now(), decided_at=timezone.now()
    )
    CaseParty.objects.create(case=case, user=reporter)
    sweep(hold.expires_at)
    assert PurgeReceipt.objects.get().rule == "released"
    receipt, entry = PurgeReceipt.objects.get(room=room.pk), Entry.objects.get(kind="purged")
    pages = (
        f"/admin/retention/purgereceipt/{receipt.pk}/change/",
        f"/admin/retention/purgereceipt/{receipt.pk}/history/",
        f"/admin/ledger/entry/{entry.seq}/change/",
    )
    for party in (room.host, reporter):
        browser = staff("auditor", party)
        assert [browser.get(page).status_code for page in pages] == [302] * 3, "as for one that does not exist"
        for query in ("", room.slug, receipt.digest[:12]):
            listed = text(browser.get("/admin/retention/purgereceipt/", {"q": query} if query else None))
            assert f"purgereceipt/{receipt.pk}/" not in listed
    other = staff("auditor")
    assert [other.get(page).status_code for page in pages] == [200] * 3
    assert f"purgereceipt/{receipt.pk}/" in text(other.get("/admin/retention/purgereceipt/"))


def test_lists_of_clocks_filter_search_and_cost_the_same_for_many() -> None:
    browser = staff("moderator")
    old = ended_room("anna", title="Old voices")
    ended = timezone.now() - timedelta(days=26)
    Room.objects.filter(pk=old.pk).update(started_at=ended - timedelta(hours=1), ended_at=ended)
    late = ended_room("bert", title="Late voices")
    ended = timezone.now() - timedelta(days=32)
    Room.objects.filter(pk=late.pk).update(started_at=ended - timedelta(hours=1), ended_at=ended)
    live = open_room("carl", title="Live voices")
    new = ended_room("dora", title="New voices")

    def shown(query: str) -> set[str]:
        page = browser.get(f"{CLOCKS}{query}")
        assert page.status_code == 200
        return {row.room.slug for row in page.context["rows"]}

    assert shown("") == {old.slug, late.slug, new.slug} and shown("?show=live") == {live.slug}
    assert shown("?show=soon") == {old.slug, late.slug} and shown("?show=overdue") == {late.slug}
    assert shown("?show=deleted") == shown("?show=held") == set()
    assert shown("?q=dora") == shown(f"?q={new.slug}") == shown("?q=new+VOICES") == {new.slug}
    for odd in ("?show=x", "?page=0", "?page=-1", "?page=999999999999", "?page=x", "?page=9"):
        shown(odd)
    assert browser.get(CLOCKS).context["late"] == 1

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            shown("")
        return len(seen)

    few = queries()
    for number in range(6):
        held(ended_room(f"host{number}"))
    assert queries() <= few + 1


@pytest.mark.parametrize("pk", ["0", "x", "9" * 30, "٣"])
def test_unknown_rooms_are_not_found(pk: str) -> None:
    assert staff("senior").get(f"{CLOCKS}{pk}/change/").status_code == 404


def test_a_senior_opens_a_case_by_a_room_s_address() -> None:
    browser, room = staff("senior"), open_room("anna")
    seated("bert", room)
    for address in (room.slug, f"http://localhost/r/{room.slug}/", f"/r/{room.slug}"):
        found = text(browser.get(INITIATIVE, {"room": address}))
        assert "@bert" in found and "@anna" in found
    unknown = text(browser.get(INITIATIVE, {"room": "nosuchroom"}))
    assert "There is no room at this address." in unknown
    for odd in ("a" * 5000, "../..", "<b>"):
        assert browser.get(INITIATIVE, {"room": odd}).status_code == 200
    page = f"{INITIATIVE}?room={room.slug}"
    form = {"about": "person:bert", "category": "hate", "reason": "Heard it."}
    for wrong in ({"about": "person:carl"}, {"about": "message"}, {"category": "x"}, {"reason": ""}):
        assert browser.post(page, {**form, **wrong}).status_code == 400
    answer = browser.post(page, form)
    case = Case.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/moderation/case/{case.pk}/")
    assert (case.source, case.subject.handle if case.subject else "") == ("voluntary", "bert")
    again = browser.post(page, form)
    assert again.status_code == 400 and "There is an open case about this already." in text(again)


def test_pages_are_dutch_for_who_reads_dutch() -> None:
    browser = staff("senior", person(language="nl"))
    page = browser.get(f"{RULES}no-hate/change/")
    assert 'lang="nl"' in text(page) and "Geen haat" in text(page)
