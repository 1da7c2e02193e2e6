"""The creator group: the queue, being added in three ways, being told, being written down."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from deploy.local.process import wait_for
from people.creators.actions import (
    add_creators,
    add_creators_by_list,
    add_wave,
    ask_for_creator,
    remove_creators,
    withdraw_ask,
)
from people.creators.queries import QueuePlace, place_in_queue
from people.models import Creator, User
from people.refusals import PeopleRefused
from people.standing import Standing, standing_of, why_not_enter, why_not_host, why_not_speak
from tests.support.people import people, person
from tests.support.privileges import superuser
from tests.support.races import number_waiting


def queue(number: int) -> list[User]:
    """So many people who asked, one a minute."""
    users = people(number)
    start = timezone.now() - timedelta(days=1)
    Creator.objects.bulk_create(
        Creator(user=user, asked_at=start + timedelta(minutes=place), plan="Talks.") for place, user in enumerate(users)
    )
    return users


def test_standing_is_pure() -> None:
    member = Standing(signed_in=True, active=True, creator=True)
    assert (why_not_enter(member), why_not_speak(member), why_not_host(member)) == (None, None, None)
    nobody = Standing()
    assert (why_not_enter(nobody), why_not_speak(nobody), why_not_host(nobody)) == (
        None,
        "not_signed_in",
        "not_signed_in",
    )
    other = Standing(signed_in=True, active=True)
    assert (why_not_enter(other), why_not_speak(other), why_not_host(other)) == (None, None, "not_a_creator")
    closed = Standing(signed_in=True, active=False, creator=True)
    assert {why_not_enter(closed), why_not_speak(closed), why_not_host(closed)} == {"account_closed"}


@pytest.mark.django_db
def test_asking_gives_a_place_and_changing_the_plan_keeps_it() -> None:
    queue(3)
    anna = person()
    mine = ask_for_creator(anna, " Stories, weekly. ")
    assert place_in_queue(mine) == QueuePlace(4, 4)
    queue(0)
    later = ask_for_creator(person(), "Chess.")
    assert place_in_queue(later) == QueuePlace(5, 5)
    again = ask_for_creator(anna, "Stories, monthly.")
    assert (again.pk, again.plan, place_in_queue(again)) == (mine.pk, "Stories, monthly.", QueuePlace(4, 5))
    assert standing_of(anna).creator is False
    assert withdraw_ask(anna) is True and withdraw_ask(anna) is False
    assert place_in_queue(later) == QueuePlace(4, 4)


@pytest.mark.django_db
def test_asking_without_a_plan_as_a_member_or_too_often_is_refused() -> None:
    anna = person()
    with pytest.raises(PeopleRefused, match="no_plan"):
        ask_for_creator(anna, "  ")
    add_creators([anna], by=None)
    with pytest.raises(PeopleRefused, match="already_a_creator"):
        ask_for_creator(anna, "More.")
    bert = person()
    with pytest.raises(PeopleRefused, match="too_fast"):
        for number in range(10):
            ask_for_creator(bert, f"Plan {number}")
    assert Creator.objects.get(user=bert).plan == "Plan 5"


@pytest.mark.django_db(transaction=True)
def test_a_list_adds_whom_it_finds_names_the_rest_and_is_written_down() -> None:
    admin, anna = person(is_superuser=True, is_staff=True), person("Anna", language="nl")
    bert, dirk = person("bert"), person("dirk", confirmed=False, email="dirk@example.org")
    add_creators([bert], by=admin)
    mail.outbox.clear()
    words = ["@anna", "ANNA@example.org", "bert", "nobody", "no@example.org", "dirk@example.org", ""]
    added = add_creators_by_list(words, by=admin, wave="Spring")
    assert (added.new, added.before) == ([anna], [bert])
    assert (added.missing, added.unconfirmed) == (["nobody", "no@example.org"], ["dirk@example.org"])
    row = Creator.objects.get(user=anna)
    assert (row.added_by, row.wave, row.asked_at, row.is_member) == (admin, "Spring", None, True)
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [(["anna@example.org"], mail.outbox[0].subject)]
    assert "/rooms/open/" in mail.outbox[0].body and "30" in mail.outbox[0].body
    entry = LogEntry.objects.get(object_id=str(row.pk))
    assert entry.user == admin and "Spring" in entry.get_change_message()
    assert not Creator.objects.filter(user=dirk).exists()


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_of_what_was_rolled_back() -> None:
    from django.db import transaction

    anna = person()
    with pytest.raises(RuntimeError), transaction.atomic():
        add_creators([anna], by=None)
        raise RuntimeError
    assert not Creator.objects.exists() and mail.outbox == []


@pytest.mark.django_db
def test_a_wave_takes_the_next_who_asked() -> None:
    users = queue(5)
    User.objects.filter(pk=users[1].pk).update(is_active=False)
    admin = person(is_staff=True)
    added = add_wave(3, "First", by=admin)
    assert added.new == [users[0], users[2], users[3]]
    assert set(Creator.objects.filter(wave="First").values_list("user", flat=True)) == {user.pk for user in added.new}
    assert LogEntry.objects.filter(user=admin).count() == 3
    with pytest.raises(PeopleRefused, match="no_wave_name"):
        add_wave(1, " ", by=admin)
    with pytest.raises(PeopleRefused, match="bad_wave_size"):
        add_wave(0, "Second", by=admin)
    assert [user.pk for user in add_wave(50, "Second", by=admin).new] == [users[4].pk]


@pytest.mark.django_db(transaction=True)
def test_two_waves_at_once_never_take_the_same_people() -> None:
    queue(12)
    admin = person()

    def wave(name: str) -> list[int]:
        try:
            return [user.pk for user in add_wave(6, name, by=admin).new]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(wave, ["A", "B"])
    assert not set(first) & set(second) and len(first) == len(second) == 6
    assert Creator.objects.filter(added_at__isnull=False).count() == 12


def side_by_side(*works: Callable[[], object]) -> list[object]:
    """Do these at the same moment, each on a connection of its own; an error of one is raised."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[], object]) -> object:
        start.wait(30)
        return alone(work)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


@pytest.mark.django_db(transaction=True)
def test_a_wave_and_a_list_never_wait_for_each_other() -> None:
    """Those who asked first have the last rows. Both are stopped in the middle, each with what it locked before that:
    by time and by row that would be one half each, and neither could go on."""
    users = people(20)
    start = timezone.now() - timedelta(days=1)
    for _round in range(5):
        Creator.objects.all().delete()
        rows = Creator.objects.bulk_create(
            Creator(user=user, asked_at=start - timedelta(minutes=place)) for place, user in enumerate(users)
        )
        with superuser() as holder, ThreadPoolExecutor(2) as pool:
            with holder.transaction():
                holder.execute("SELECT 1 FROM people_creator WHERE id = %s FOR UPDATE", [rows[10].pk])
                works = (lambda: add_wave(20, "Wave", by=None), lambda: add_creators(users, by=None))
                answers = [pool.submit(alone, work) for work in works]
                wait_for("both to wait", lambda: number_waiting() >= 2)
            for answer in answers:
                answer.result(60)


def alone(work: Callable[[], object]) -> object:
    """Do it on a connection of its own."""
    try:
        return work()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_lists_of_people_who_never_asked_make_their_rows_in_one_order() -> None:
    users = people(150)
    for _round in range(8):
        Creator.objects.all().delete()
        side_by_side(
            lambda: add_creators(users, by=None),
            lambda: add_creators(users[::-1], by=None),
        )
        assert Creator.objects.filter(added_at__isnull=False).count() == 150


@pytest.mark.django_db
def test_who_is_removed_may_ask_again_at_the_end() -> None:
    anna, admin = person(), person()
    add_creators([anna], by=admin)
    assert standing_of(anna).creator
    assert remove_creators([anna, admin], by=admin) == [anna]
    assert not standing_of(anna).creator
    queue(2)
    assert place_in_queue(ask_for_creator(anna, "Again.")) == QueuePlace(3, 3)


@pytest.mark.django_db
def test_the_page_says_where_one_stands(client: Client) -> None:
    assert "Sign up" in client.get("/creators/").content.decode()
    assert client.post("/creators/", {"plan": "x"})["Location"].endswith("?next=/creators/")
    queue(11)
    anna = person()
    client.force_login(anna)
    wrong = client.post("/creators/", {"plan": "y" * 501})
    assert wrong.status_code == 400 and "y" * 501 in wrong.content.decode()
    assert client.post("/creators/", {"plan": "Poems."}).status_code == 302
    assert "You are number 12 of 12 who asked" in client.get("/creators/").content.decode()
    add_creators([anna], by=None, wave="Spring")
    page = client.get("/creators/").content.decode()
    assert "You can open rooms" in page and "Spring" in page and "/rooms/open/" in page
    assert client.post("/creators/", {"plan": "More."}).status_code == 409


@pytest.mark.django_db
def test_leaving_the_queue_by_the_page(client: Client) -> None:
    anna = person()
    ask_for_creator(anna, "Poems.")
    client.force_login(anna)
    assert client.get("/creators/withdraw/")["Location"] == "/creators/"
    assert client.post("/creators/withdraw/")["Location"] == "/creators/"
    assert not Creator.objects.exists()
