"""The queue of cases: its order, who sees what, filters that are remembered, search, what falls due, “next case”."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from moderation.actions.claims import claim, claim_next
from moderation.actions.initiative import open_on_own_initiative
from moderation.models import ActAtOnce, Case, CaseParty, Decision, Look, QueueChoice, Report, RuleVersion
from moderation.queries import queue as queries
from moderation.queries.staff import may_listen, staff_part
from people.groups import ADMINISTRATORS, AUDITORS, CHILD_SAFETY, MODERATORS, SENIORS
from people.models import User
from rooms.models import Room
from tests.support.people import person
from tests.support.races import at_once
from tests.support.reports import closed, report
from tests.support.rooms import ended_room, open_room, seated
from tests.support.staff import sign_in_staff, with_fresh_step

QUEUE = "/admin/moderation/case/"
PARTS = f"{QUEUE}queue/parts/"
NEXT = f"{QUEUE}queue/next/"
pytestmark = pytest.mark.django_db


def staff(*groups: str, handle: str = "") -> User:
    user = with_fresh_step(person(handle, is_staff=True))
    user.groups.set(Group.objects.filter(name__in=groups or [MODERATORS]))
    return user


def signed_in(user: User) -> Any:
    return sign_in_staff(Client(), user)


def shown(client: Any, query: str = "?show=open") -> list[int]:
    """The keys of the cases on a page of the queue, in order."""
    return keys_in(client.get(QUEUE + query))


def keys_in(answer: Any) -> list[int]:
    assert answer.status_code == 200
    return [int(key) for key in re.findall(r'data-queue-case="(\d+)"', answer.content.decode())]


def tabs_of(client: Any) -> dict[str, str | None]:
    return {tab["show"]: tab["count"] for tab in client.get(f"{QUEUE}?show=open").context["tabs"]}


def case_of(room: Room, **values: Any) -> Case:
    return report(person(), room, **values).case


def proposed(case: Case, by: User, ago: timedelta = timedelta()) -> Decision:
    """A suspension for good that waits for a second moderator since `ago`."""
    Case.objects.filter(pk=case.pk).update(state=Case.State.PROPOSED)
    return Decision.objects.create(
        case=case,
        outcome="violation",
        state="proposed",
        rule=RuleVersion.objects.earliest("pk"),
        facts="They threatened her.",
        by=by,
        at=timezone.now() - ago,
    )


def act(case: Case, kind: str, due: timedelta, **values: Any) -> ActAtOnce:
    now = timezone.now()
    return ActAtOnce.objects.create(case=case, kind=kind, at=now - timedelta(hours=3), due_at=now + due, **values)


def test_live_rooms_come_first_then_the_highest_priority_then_the_oldest(monkeypatch: Any) -> None:
    low, high, live = ended_room("ada"), ended_room("bert"), open_room("carl")
    first = case_of(low, category="other", words="odd")
    second = case_of(high, category="hate")
    third = case_of(ended_room("dora"), category="other", words="odd")
    last = case_of(live, category="other", words="odd")
    in_order = [last.pk, second.pk, first.pk, third.pk]
    client = signed_in(staff())
    assert shown(client) == in_order
    page = client.get(f"{QUEUE}?show=open")
    (row, *_rest) = [one for one in page.context["rows"] if one.case.pk == second.pk]
    stored = Case.objects.get(pk=second.pk)
    assert row.parts.total == stored.priority > 0
    text = " ".join(page.content.decode().split())
    assert f"severity {row.parts.severity} + reporters 0 + reach {row.parts.reach} + accuracy 25" in text
    assert shown(client, "?show=live") == [last.pk]
    monkeypatch.setattr(queries, "A_PAGE", 3)
    assert shown(client) == in_order[:3]
    page = client.get(f"{QUEUE}?show=open&page=2")
    assert keys_in(page) == in_order[3:] and page.context["earlier"] == "?show=open&page=1"
    for number in ("9", "-1", "x", "²", "9" * 30):
        assert client.get(f"{QUEUE}?show=open&page={number}").status_code == 200
    assert keys_in(client.get(f"{PARTS}?show=open&page=2")) == in_order[3:]


def test_each_role_sees_what_is_for_it_and_parties_see_nothing_not_even_in_counts() -> None:
    room, other = ended_room("ada"), ended_room("bert")
    ordinary = case_of(room)
    child = case_of(other, category="child_safety")
    senior = staff(SENIORS)
    host = person("mod", creator=True, is_staff=True)
    host.groups.set(Group.objects.filter(name=MODERATORS))
    about_staff = case_of(ended_room(host))
    assert child.child_safety and about_staff.for_seniors
    moderator = signed_in(staff())
    assert set(shown(moderator)) == {ordinary.pk}
    assert tabs_of(moderator) == {"open": "1", "mine": "0", "live": "0", "second": "0", "decided": None}
    assert set(shown(signed_in(senior))) == {ordinary.pk, about_staff.pk}
    assert set(shown(signed_in(staff(CHILD_SAFETY)))) == {child.pk}
    both = signed_in(staff(CHILD_SAFETY, MODERATORS))
    assert set(shown(both)) == {ordinary.pk, child.pk} and shown(both, "?show=child_safety") == [child.pk]
    assert tabs_of(both)["child_safety"] == "1"
    party = staff()
    CaseParty.objects.create(case=ordinary, user=party)
    client = signed_in(party)
    assert shown(client) == [] and tabs_of(client)["open"] == "0"
    for query in (f"?q={ordinary.pk}", "?q=ada", f"?q={room.slug}", "?show=decided", f"?q={child.pk}"):
        assert shown(client, query) == []
    assert client.post(NEXT).url == QUEUE
    for group in (AUDITORS, ADMINISTRATORS):
        outside = signed_in(staff(group))
        assert [outside.get(QUEUE).status_code, outside.get(PARTS).status_code] == [403, 403]
        assert outside.post(NEXT).status_code == 403
    assert Client().get(QUEUE).status_code == 302


def test_filters_stand_in_the_address_and_the_last_are_remembered() -> None:
    room = open_room("ada")
    whole = case_of(room, category="hate")
    bert = seated("bert", room)
    about_bert = case_of(room, subject=bert, category="harassment")
    user = staff()
    client = signed_in(user)
    assert client.get(QUEUE).status_code == 200 and not QueueChoice.objects.exists(), "nothing was chosen"
    assert shown(client, "?show=open&kind=person") == [about_bert.pk]
    assert shown(client, "?show=open&category=hate") == [whole.pk]
    assert shown(client, "?show=open&kind=person&category=hate") == []
    again = client.get(QUEUE)
    assert again.status_code == 302 and again.url == f"{QUEUE}?show=open&kind=person&category=hate"
    assert "No case fits these filters" in client.get(again.url).content.decode()
    assert shown(client, "?q=ada") and QueueChoice.objects.get(user=user).query == again.url.partition("?")[2]
    client.get(f"{QUEUE}?show=open")
    assert set(shown(client, "?show=nonsense&kind=x&category=y")) == {whole.pk, about_bert.pk}
    assert client.get(QUEUE, follow=True).context["choice"].show == "open"
    claim(whole, user)
    assert shown(client, "?show=mine") == [whole.pk]
    assert client.get(QUEUE).url == f"{QUEUE}?show=mine"
    assert signed_in(staff()).get(QUEUE).status_code == 200, "another person's choice is their own"


def test_a_search_goes_through_all_cases() -> None:
    room = ended_room("ada")
    whole, other = case_of(room), case_of(ended_room("bert"))
    closed(whole)
    client = signed_in(staff())
    address = f"http://localhost:8000{room.get_absolute_url()}"
    for words in (str(whole.pk), f"%23{whole.pk}", "ada", "@ADA", room.slug, address, f"{address}/"):
        assert shown(client, f"?q={words}") == [whole.pk], words
    assert shown(client, "?q=bert") == [other.pk] and shown(client, "?show=decided") == [whole.pk]
    for words in ("nobody", "9" * 18, "9" * 40, "²", "a" * 5000, "@"):
        answer = client.get(f"{QUEUE}?q={words}")
        assert answer.status_code == 200
    assert "Nothing was found" in client.get(f"{QUEUE}?q=nobody").content.decode()


def test_a_claim_shows_and_next_case_gives_a_free_one_with_its_page() -> None:
    first, second = case_of(open_room("ada")), case_of(ended_room("bert"))
    anna, mod = staff(handle="anna"), staff(handle="mod")
    client, other = signed_in(anna), signed_in(mod)
    assert client.get(NEXT).status_code == 405
    assert client.post(NEXT).url == f"{QUEUE}{first.pk}/"
    assert "Yours for 30 minutes" in client.get(f"{QUEUE}?show=open").content.decode()
    assert "Anna is working on this" in " ".join(other.get(f"{QUEUE}?show=open").content.decode().split())
    assert other.post(NEXT).url == f"{QUEUE}{second.pk}/"
    answer = signed_in(staff()).post(NEXT, follow=True)
    assert "No case is free" in answer.content.decode()
    Case.objects.filter(pk=first.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert "Anna is working" not in " ".join(other.get(f"{QUEUE}?show=open").content.decode().split())


@pytest.mark.django_db(transaction=True)
def test_two_who_take_the_next_case_at_once_get_different_ones() -> None:
    cases = {case_of(ended_room(f"host{number}")).pk for number in range(2)}
    people = [staff(), staff()]
    got: list[int] = []

    def take(user: User) -> None:
        case = claim_next(user)
        assert case is not None
        got.append(case.pk)

    assert at_once(*(lambda user=user: take(user) for user in people)) == ["ok", "ok"]
    assert set(got) == cases
    assert set(Case.objects.values_list("claimed_by", flat=True)) == {user.pk for user in people}


def test_what_falls_due_is_listed_and_what_is_overdue_stands_in_large() -> None:
    ended, late_room = case_of(ended_room("ada")), case_of(ended_room("bert"))
    act(ended, "end_room", timedelta(hours=2))
    second = staff()
    proposed(late_room, second, timedelta(hours=73))
    old = ended_room("carl")
    kept = case_of(old)
    at = timezone.now() - timedelta(days=86)
    Room.objects.filter(pk=old.pk).update(started_at=at - timedelta(hours=1), ended_at=at)
    Case.objects.filter(pk=kept.pk).update(opened_at=at + timedelta(days=1))
    client = signed_in(staff())
    page = client.get(f"{QUEUE}?show=open")
    assert [(due.what, due.case, due.late) for due, _case in page.context["due"]] == [
        ("second", late_room.pk, True),
        ("end_room", ended.pk, False),
        ("copy", kept.pk, False),
    ]
    assert (page.context["late_proposals"], page.context["late_looks"]) == (1, 0)
    text = page.content.decode()
    assert "Room ended: rule and facts" in text and "overdue since" in text and "Look and approve" in text
    waiting = client.get(f"{QUEUE}?show=second")
    assert keys_in(waiting) == [late_room.pk]
    own = signed_in(second).get(f"{QUEUE}?show=second").content.decode()
    assert "You proposed it" in own and "Look and approve" not in own
    assert shown(signed_in(second), "?show=mine") == [late_room.pk]


def test_a_child_safety_case_at_which_nobody_looked_is_overdue_for_that_role_alone() -> None:
    case = case_of(ended_room("ada"), category="child_safety")
    ActAtOnce.objects.filter(case=case).delete()
    closing = act(case, "close_copy", timedelta(hours=-2))
    keeper = staff(CHILD_SAFETY)
    client = signed_in(keeper)
    assert client.get(f"{QUEUE}?show=open").context["late_looks"] == 1
    index = client.get("/admin/").content.decode()
    assert "overdue in child safety" in index
    other = signed_in(staff())
    assert other.get(f"{QUEUE}?show=open").context["due"] == []
    assert "child safety" not in other.get("/admin/").content.decode()
    Look.objects.create(case=case, user=keeper, what="lines", from_ms=0, to_ms=1000, at=closing.at)
    assert client.get(f"{QUEUE}?show=open").context["late_looks"] == 0


def test_the_index_shows_what_waits_and_moderators_begin_at_the_queue() -> None:
    case_of(open_room("ada"))
    proposed(case_of(ended_room("bert")), staff(), timedelta(hours=80))
    client = signed_in(staff())
    tasks = client.get("/admin/").context["tasks"]
    assert [(task.title, task.count, task.urgent) for task in tasks[:2]] == [
        ("cases are open", 2, True),
        ("waiting for a second moderator", 1, True),
    ]
    assert "1 of a room that is live now" in tasks[0].text and "1 is overdue" in tasks[1].text
    assert all(client.get(task.url).status_code == 200 for task in tasks)
    assert client.get("/admin/home/").url == QUEUE
    auditor = signed_in(staff(AUDITORS))
    assert auditor.get("/admin/home/").url == "/admin/"
    assert "are open" not in auditor.get("/admin/").content.decode()


@pytest.mark.parametrize("group", [MODERATORS, CHILD_SAFETY, SENIORS])
def test_an_empty_queue_says_so(group: str) -> None:
    client = signed_in(staff(group))
    for show, name in (("open", "No case is open"), ("mine", "You are working on no case"), ("decided", "decided yet")):
        assert name in client.get(f"{QUEUE}?show={show}").content.decode()
    assert "Nothing has to be done" in client.get(f"{QUEUE}?show=open").content.decode()


def test_statements_do_not_grow_with_the_queue_and_are_twenty_at_most() -> None:
    user = staff(SENIORS)
    client = signed_in(user)

    def statements() -> int:
        client.get(f"{QUEUE}?show=open")
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{QUEUE}?show=open").status_code == 200
        return len(captured)

    for number in range(3):
        room = ended_room(f"host{number}")
        case = case_of(room)
        act(case, "end_room", timedelta(hours=number - 1))
        at = timezone.now() - timedelta(days=85)
        Room.objects.filter(pk=room.pk).update(started_at=at - timedelta(hours=1), ended_at=at)
        Case.objects.filter(pk=case.pk).update(opened_at=at + timedelta(days=1))
    case_of(open_room("live"))
    few = statements()
    for number in range(20):
        case = case_of(ended_room(f"more{number}"))
        if number % 2:
            proposed(case, user)
    assert statements() <= few <= 20


# --- rooms ------------------------------------------------------------------------------------------------------------


def end_url(room: Room) -> str:
    return reverse("admin:moderation_case_end_room", args=[room.slug])


def code_of(answer: Any) -> Any:
    return answer.json()["error"]["code"]


def seated_senior(room: Room) -> User:
    user = seated("sits", room)
    user.groups.add(Group.objects.get(name=SENIORS))
    return with_fresh_step(user)


def test_staff_have_the_case_of_a_room_and_may_listen_where_they_reach() -> None:
    room = open_room("ada")
    moderator, senior, auditor = staff(), staff(SENIORS), staff(AUDITORS)
    assert [may_listen(user.pk, room.pk) for user in (moderator, senior, auditor, room.host)] == [
        False,
        True,
        False,
        False,
    ]
    assert staff_part(room, moderator, None) is None
    assert staff_part(room, senior, None) == {
        "case": None,
        "report_count": 0,
        "may_end": False,
        "end_url": end_url(room),
    }
    case = case_of(room)
    report(person(), room)
    expected = {"case": f"{QUEUE}{case.pk}/", "report_count": 2, "may_end": True, "end_url": end_url(room)}
    assert staff_part(room, moderator, None) == expected and may_listen(moderator.pk, room.pk)
    with CaptureQueriesContext(connection) as captured:
        assert staff_part(room, User.objects.get(pk=room.host_id), None) is None
    assert len(captured) == 1, "others cost no query beside this one"
    assert staff_part(room, auditor, None) is None
    party = staff(SENIORS)
    CaseParty.objects.create(case=case, user=party)
    assert staff_part(room, party, None) == {**expected, "case": None, "report_count": 0, "may_end": False}
    assert may_listen(party.pk, room.pk), "seniors may listen anywhere: a party who was not on the stage learns nothing"
    assert staff_part(room, seated_senior(room), None) is None
    closed(case)
    assert staff_part(room, moderator, None) is None and not may_listen(moderator.pk, room.pk)
    child = case_of(room, category="child_safety")
    assert staff_part(room, moderator, None) is None
    keeper = staff(CHILD_SAFETY)
    part = staff_part(room, keeper, None)
    assert part is not None and part["case"] == f"{QUEUE}{child.pk}/" and may_listen(keeper.pk, room.pk)


def test_staff_end_a_room_from_its_page_and_rule_and_facts_are_due() -> None:
    room = open_room("ada")
    client = signed_in(staff())
    assert (client.get(end_url(room)).status_code, code_of(client.post(end_url(room)))) == (405, "no_case")
    assert code_of(client.post(f"{QUEUE}queue/end-room/nothing-here/")) == "unknown_room"
    case = case_of(room)
    assert signed_in(staff(AUDITORS)).post(end_url(room)).status_code == 403
    reporter = staff()
    report(reporter, room)
    assert code_of(signed_in(reporter).post(end_url(room))) == "no_case" and Room.objects.get(pk=room.pk).is_live
    answer = client.post(end_url(room))
    assert answer.json() == {"url": f"{QUEUE}{case.pk}/#decide"}
    assert not Room.objects.get(pk=room.pk).is_live
    assert [due.what for due, _case in client.get(f"{QUEUE}?show=open").context["due"]] == ["end_room"]
    assert client.post(end_url(room)).json() == answer.json(), "pressed twice, it is one act"
    assert ActAtOnce.objects.count() == 1
    assert shown(client, "?show=mine") == [case.pk], "rule and facts are theirs to write"


def test_a_case_opened_on_own_initiative_stands_in_the_queue() -> None:
    senior, room = staff(SENIORS), ended_room("ada")
    case = open_on_own_initiative(senior, room, "room", None, "Heard of it.")
    assert not Report.objects.exists()
    page = signed_in(senior).get(f"{QUEUE}?show=open")
    assert keys_in(page) == [case.pk] and "own initiative" in page.content.decode()
