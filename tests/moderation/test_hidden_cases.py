"""Staff who listened in a room and were reported there: every page answers them as if nobody had reported them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from ledger.actions import record
from ledger.queries import visible_entries
from moderation.actions.initiative import open_on_own_initiative
from moderation.models import Case, LegalHold
from moderation.queries.staff import may_listen
from people.groups import SENIORS
from people.models import User
from retention.models import PurgeReceipt
from retention.purge import sweep
from rooms.actions.staff_listening import note_staff_listening
from rooms.models import Room
from tests.support.cases import aged, kept_room, open_case, refused, staff, violation
from tests.support.people import person
from tests.support.rooms import due_at, open_room
from tests.support.staff import sign_in_staff, with_fresh_step

pytestmark = pytest.mark.django_db
CLOCKS, INITIATIVE = "/admin/moderation/roomclock/", "/admin/moderation/roomclock/open-case/"
LISTS = ("", "?show=live", "?show=held", "?show=soon", "?show=overdue", "?show=deleted")


def senior(handle: str, *, superuser: bool = False) -> User:
    user = person(handle, is_staff=True)
    user.groups.add(Group.objects.get(name=SENIORS))
    if superuser:
        User.objects.filter(pk=user.pk).update(is_superuser=True)
    return with_fresh_step(User.objects.get(pk=user.pk))


def pages(browser: Client, room: Room) -> list[tuple[int, list[str]]]:
    """Status and words of every page on which a case of a room could be seen."""
    addresses = [f"{CLOCKS}{room.pk}/change/", *(CLOCKS + query for query in LISTS), f"{INITIATIVE}?room={room.slug}"]
    addresses += ["/admin/moderation/case/", f"/admin/moderation/case/?q={room.slug}", "/admin/"]
    addresses += [f"/admin/ledger/entry/?q=room:{room.pk}", f"/api/v1/rooms/{room.slug}/retention/"]
    answers = [browser.get(address) for address in addresses]
    return [(answer.status_code, spoken(answer.content.decode())) for answer in answers]


def spoken(text: str) -> list[str]:
    """The words of a page, without moments."""
    text = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"\d\d:\d\d(:\d\d(\.\d+)?)?", "", re.sub(r"<[^>]*>", "\n", text))
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("superuser", [False, True])
def test_a_listener_who_was_reported_gets_the_pages_of_a_room_that_nobody_reported(live: bool, superuser: bool) -> None:
    """The same room and the same person, before the report and after it: nothing changes."""
    room = open_room("anna") if live else aged(kept_room("anna"), 24)
    mara = senior("mara", superuser=superuser)
    note_staff_listening(room, senior("other").pk)
    browser = sign_in_staff(Client(), mara)
    before = pages(browser, room)
    assert not superuser or {status for status, _words in before} == {200}
    case = open_case(room, person("rita"), subject=mara)
    note_staff_listening(room, senior("third").pk)
    assert case.for_seniors
    for after, was in zip(pages(browser, room), before, strict=True):
        assert after == was
    assert may_listen(mara.pk, room.pk)


def test_the_acts_of_a_listener_who_was_reported_go_as_without_a_report() -> None:
    room, mara = kept_room("anna"), senior("mara")
    open_case(room, person("rita"), subject=mara)
    browser = sign_in_staff(Client(), mara)
    form = {"reference": "OM 1", "reason": "a court", "until": f"{timezone.localdate()}"}
    assert browser.post(f"{CLOCKS}{room.pk}/change/", form).status_code == 302
    hold = LegalHold.objects.get()
    browser.post(f"{CLOCKS}{room.pk}/holds/{hold.pk}/lift/", {"reason": "withdrawn"})
    hold.refresh_from_db()
    assert hold.lifted_by == mara
    made = browser.post(f"{INITIATIVE}?room={room.slug}", {"about": "room", "category": "other", "reason": "Heard it."})
    opened = Case.objects.get(source="voluntary")
    assert (made.status_code, made["Location"]) == (302, f"/admin/moderation/case/{opened.pk}/")
    kept = browser.get(made["Location"]).context["page"].kept
    assert [hold.ref for hold in kept.holds] == [f"case:{opened.pk}"], "the clock names what they opened, and no other"


def test_a_clock_kept_on_by_a_hidden_case_says_no_more_than_the_room_s_own_page() -> None:
    room, mara = kept_room("anna"), senior("mara")
    open_case(room, person("rita"), subject=mara)
    aged(room, 40)
    browser = sign_in_staff(Client(), mara)
    page = browser.get(f"{CLOCKS}{room.pk}/change/")
    kept = page.context["row"].kept
    assert (kept.at, kept.reason, kept.holds, kept.due) == (None, None, (), False)
    assert "open case" not in page.content.decode()
    for show in ("held", "soon", "overdue"):
        assert room.slug not in browser.get(f"{CLOCKS}?show={show}").content.decode()
    other = sign_in_staff(Client(), senior("other")).get(f"{CLOCKS}{room.pk}/change/")
    assert other.context["row"].kept.reason == "case"


def test_receipts_and_entries_of_a_purge_are_hidden_only_where_their_rule_tells_of_a_case() -> None:
    reader, plain_room, found = senior("mara"), kept_room("anna"), kept_room("bert", 10, ada := person("ada"))
    for room, subject in ((plain_room, reader), (found, ada)):
        case = open_case(room, reader if subject is ada else person(), subject=subject)
        if subject is ada:
            violation(case)
        else:
            Case.objects.filter(pk=case.pk).update(state="decided", decided_at=timezone.now())
    sweep(due_at(found) + timedelta(days=61))
    rules = dict(PurgeReceipt.objects.values_list("room", "rule"))
    assert rules == {plain_room.pk: "review-30-days", found.pk: "violation-90-days"}
    browser = sign_in_staff(Client(), senior_reader(reader))
    listed = browser.get("/admin/retention/purgereceipt/").content.decode()
    assert plain_room.slug in listed and found.slug not in listed
    purges = visible_entries(reader.pk).filter(kind="purged")
    assert [entry.subject for entry in purges] == [f"room:{plain_room.pk}"]


def senior_reader(user: User) -> User:
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return User.objects.get(pk=user.pk)


def test_own_acts_and_those_before_the_report_stay_in_the_ledger() -> None:
    room, mara = kept_room("anna"), senior("mara")
    record("staff_listening", f"room:{room.pk}", staff().pk, {"room_ms": 1})
    open_case(room, person("rita"), subject=mara)
    record("staff_listening", f"room:{room.pk}", mara.pk, {"room_ms": 2})
    record("staff_listening", f"room:{room.pk}", staff().pk, {"room_ms": 3})
    mine = visible_entries(mara.pk).filter(kind="staff_listening").order_by("seq")
    assert [entry.data["room_ms"] for entry in mine] == [1, 2]


def test_seniors_open_no_case_where_they_reported_something_themselves() -> None:
    """By their own report, which they know of, whether or not its case is open still."""
    room, mara = kept_room("anna"), senior("mara")
    case = open_case(room, mara)
    for _state in range(2):
        assert refused(open_on_own_initiative, mara, room, "room", None, "x") == "reported_oneself"
        page = sign_in_staff(Client(), mara).get(f"{INITIATIVE}?room={room.slug}")
        assert "You reported something in this room yourself" in page.content.decode()
        Case.objects.filter(pk=case.pk).update(state="decided", decided_at=timezone.now())
