"""The page of a report, without script: who may, what is refused in words, and that nobody else sees anything of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from moderation.models import Report
from pages.report_form import read_time
from pages.report_views import PROPOSED_MS
from pages.templatetags.replay import at
from people.models import User
from rooms import actions
from rooms.models import Removal, Room
from social.actions.blocks import block
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import ended_room, open_room, prepared_room, published, seated

pytestmark = pytest.mark.django_db
SECRET = "quixotryzebra said it"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def old(room: Room, minutes: int = 30) -> Room:
    Room.objects.filter(pk=room.pk).update(started_at=timezone.now() - timedelta(minutes=minutes))
    room.refresh_from_db()
    return room


def address(room: Room, query: str = "") -> str:
    return f"/rooms/{room.slug}/report/{query}"


def send(client: Client, room: Room, query: str = "", **values: Any) -> Any:
    form = {
        "about": "",
        "category": "hate",
        "good_faith": "on",
        "starts": "1:00",
        "ends": "2:30",
        "words": "",
        "once": "",
        **values,
    }
    return client.post(address(room, query), form)


def value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def offered(page: str) -> list[str]:
    """Handles that the form offers as the subject of a report."""
    found = re.search(r'<select name="about".*?</select>', page, re.DOTALL)
    assert found
    return [one for one in re.findall(r'value="([^"]*)"', found[0]) if one]


def test_a_report_by_the_page_and_its_receipt() -> None:
    room = old(open_room())
    guest, lea = seated("guest", room), person("lea")
    client = signed_in(lea)
    page = client.get(address(room, "?about=Guest")).content.decode()
    assert '<option value="guest" selected>' in page and offered(page) == ["host", "guest"]
    starts, ends = read_time(value(page, "starts")), read_time(value(page, "ends"))
    assert starts is not None and ends is not None and ends >= 30 * 60_000, "until now"
    assert ends - starts in (PROPOSED_MS, PROPOSED_MS + 1000), "whole seconds around two minutes"
    once = value(page, "once")
    answers = [send(client, room, about="guest", words=SECRET, once=once) for _twice in range(2)]
    row = Report.objects.get()
    assert (row.subject, row.reporter, row.category_id, row.words) == (guest, lea, "hate", SECRET)
    assert (row.from_ms, row.to_ms) == (60_000, 150_000)
    receipt = f"/reports/{row.receipt}/"
    assert [answer["Location"] for answer in answers] == [receipt, receipt], "a form sent twice is one report"
    received = client.get(receipt).content.decode()
    assert "We received it" in received and str(row.receipt) in received and SECRET not in received


def test_a_receipt_is_for_its_reporter_alone() -> None:
    room = old(open_room())
    guest, lea = seated("guest", room), person("lea")
    send(signed_in(lea), room, about="guest", words=SECRET)
    receipt = Report.objects.get().receipt
    for user in (guest, room.host, person("carl")):
        client = signed_in(user)
        assert client.get(f"/reports/{receipt}/").status_code == 404
        pages = [room.get_absolute_url(), address(room), address(room, "?about=lea"), "/people/lea/", "/people/guest/"]
        for path in [*pages, "/dashboard/", "/settings/blocks/"]:
            page = client.get(path).content.decode()
            assert SECRET not in page and str(receipt) not in page, path
    assert signed_in(lea).get(f"/reports/{uuid4()}/").status_code == 404
    for number in (receipt, uuid4()):
        answer = Client().get(f"/reports/{number}/")
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
        assert answer["Referrer-Policy"] == "same-origin", "signed out nobody learns which receipts there are"


def test_what_is_wrong_is_said_beside_its_field() -> None:
    room = old(open_room())
    guest = seated("guest", room)
    client = signed_in(guest)
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"category": ""}, "category", "Choose what happened."),
        ({"category": "boring"}, "category", "Choose what happened."),
        ({"category": "other"}, "words", "Say in a few words what happened."),
        ({"good_faith": ""}, "good_faith", "Tick this before you send the report."),
        ({"law": "x" * 201}, "law", "200"),
        ({"words": "x" * 2001}, "words", "2000"),
        ({"starts": "soon"}, "starts", "Write a time such as 12:34"),
        ({"starts": ""}, "starts", "Write a time such as 12:34"),
        ({"ends": "1:99"}, "ends", "Write a time such as 12:34"),
        ({"ends": "9" * 50}, "ends", "Write a time such as 12:34"),
        ({"ends": "1:00"}, "ends", "The end must come after the beginning."),
        ({"ends": "11:01"}, "ends", "At most ten minutes at once."),
        ({"starts": "50:00", "ends": "51:00"}, "ends", "The room was not that long."),
        ({"about": "guest"}, "about", "Choose somebody on the list."),
        ({"about": "nobody-here"}, "about", "Choose somebody on the list."),
        ({"about": "' OR 1"}, "about", "Choose somebody on the list."),
    ]
    for values, field, words in wrong:
        answer = send(client, room, **values)
        assert answer.status_code == 400, values
        errors = answer.context["form"].errors
        assert set(errors) == {field} and words in " ".join(errors[field]), (values, errors)
        assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Report.objects.exists()
    assert send(client, room, once="made up").status_code == 302, "a mark that is not ours is none"


def test_reports_in_bulk_are_slowed_down_in_words() -> None:
    room = old(open_room())
    client = signed_in(person("lea"))
    answers = [send(client, room) for _number in range(14)]
    assert {answer.status_code for answer in answers} == {302, 429}
    assert "That was a bit much at once." in answers[-1].content.decode()
    assert Report.objects.count() == [answer.status_code for answer in answers].count(302)


def test_who_is_signed_out_gets_the_form_for_everybody_with_the_same_part() -> None:
    room = old(open_room())
    answer = Client().get(address(room, "?about=host&from=60&to=89.5"))
    what = quote(room.get_absolute_url(), safe="")
    assert answer["Location"] == f"/report/?kind=room&what={what}&about=host&from=60&to=89.5"
    page = Client().get(answer["Location"]).content.decode()
    assert (value(page, "starts"), value(page, "ends"), value(page, "about")) == ("1:00", "1:30", "host")
    assert value(page, "what") == room.get_absolute_url() and room.title not in page
    assert Client().get("/rooms/nowhere222/report/").status_code == 404
    assert send(Client(), room).status_code == 302 and not Report.objects.exists()
    assert Client(enforce_csrf_checks=True).post(address(room)).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("lea"))
    assert send(strict, room).status_code == 403 and not Report.objects.exists()


def test_the_page_tells_neither_a_block_nor_a_removal(django_capture_on_commit_callbacks: Any) -> None:
    """Uninvited, blocked and removed people get the same page, without the room's title and people."""
    room = old(open_room(entry_policy="invited", title="Quixotry at dusk"))
    people = [person(name) for name in ("stranger", "blocked", "removed")]
    with django_capture_on_commit_callbacks(execute=True):
        block(room.host, people[1])
    actions.remove_person(room.pk, people[2], by=room.host)
    assert Removal.objects.count() == 2
    pages = [signed_in(user).get(address(room, "?from=1&to=2")) for user in people]
    assert [page.status_code for page in pages] == [200] * 3
    for page in pages:
        assert "Quixotry" not in page.content.decode() and offered(page.content.decode()) == []
    assert "Quixotry at dusk" in signed_in(room.host).get(address(room)).content.decode()
    assert [send(signed_in(user), room).status_code for user in people] == [302] * 3


def test_rooms_in_which_one_may_not_report() -> None:
    room = prepared_room(entry_policy="signed_in")
    client = signed_in(person("stranger"))
    assert client.get("/rooms/nowhere222/report/").status_code == 404
    assert client.get(address(room)).status_code == 404
    gone = ended_room("second")
    Room.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
    answer = client.get(address(gone))
    assert answer.status_code == 410 and "was deleted on its day" in answer.content.decode()
    assert not Report.objects.exists()


def test_who_was_removed_reports_and_sees_nobody_who_came_later() -> None:
    room = old(open_room())
    lea = seated("lea", room)
    actions.remove_person(room.pk, lea, by=room.host)
    seated("later", room)
    client = signed_in(lea)
    refused = client.get(room.get_absolute_url())
    assert refused.status_code == 403 and f'href="{address(room)}"' in refused.content.decode()
    page = client.get(address(room)).content.decode()
    assert offered(page) == [] and "later" not in page
    assert offered(client.get(address(room, "?about=host")).content.decode()) == ["host"]
    assert send(client, room, about="host").status_code == 302, "whom they name themselves"
    assert Report.objects.get().subject == room.host


def test_people_of_a_recording_are_named_to_those_who_may_hear_it() -> None:
    room = talked_room()
    ada = User.objects.get(handle="ada")
    client = signed_in(person("lea"))
    assert offered(client.get(address(room)).content.decode()) == []
    assert offered(signed_in(room.host).get(address(room)).content.decode()) == ["ada", "bob"]
    published(room, "anyone")
    page = client.get(address(room)).content.decode()
    assert offered(page) == ["host", "ada", "bob"]
    assert (value(page, "starts"), value(page, "ends")) == (
        "0:00",
        at(min(120_000, room.room_time(room.ended_at)) + 999),
    )
    page = client.get(address(room, "?from=8.4&to=3700.2")).content.decode()
    assert (value(page, "starts"), value(page, "ends")) == ("0:08", "1:01:41")
    for query in ("?from=8", "?from=x&to=9", "?from=-5&to=9", "?from=1e9&to=inf", "?from=9999999999&to=1"):
        page = client.get(address(room, query)).content.decode()
        assert value(page, "starts") == "0:00", query
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert send(client, room, about="ada", starts="0:00", ends="0:01").status_code == 302
    assert Report.objects.get().subject == ada, "an account that was closed since"
    assert "nobody-here" not in offered(client.get(address(room, "?about=nobody-here")).content.decode())
    assert "ada" not in offered(
        signed_in(person("carl")).get(address(ended_room("second"), "?about=ada")).content.decode()
    )


def test_links_to_the_page() -> None:
    room = open_room()
    for client in (Client(), signed_in(person("lea"))):
        assert f'href="{address(room)}"' in client.get(room.get_absolute_url()).content.decode()
    over = published(talked_room(host="second"), "anyone")
    for path in (over.get_absolute_url(), f"{over.get_absolute_url()}replay/"):
        assert f'href="{address(over)}"' in Client().get(path).content.decode(), path
