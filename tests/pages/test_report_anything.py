"""The form by which anybody reports anything, with an account or without; receipts, questions and answers on pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from moderation.actions.questions import ask_reporter
from moderation.models import Case, Report, ReportQuestion
from pages.report_targets import Target, read_target
from people.models import User
from rooms.models import Room
from tests.support.messages import written
from tests.support.people import person
from tests.support.rooms import ended_room, open_room, prepared_room

pytestmark = pytest.mark.django_db
FORM: dict[str, Any] = {
    "kind": "profile",
    "what": "@bert",
    "category": "harassment",
    "words": "They threatened her.",
    "name": "Piet Puk",
    "email": "piet@example.org",
    "good_faith": "on",
    "starts": "",
    "ends": "",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(client: Client | None = None, query: str = "", **values: Any) -> Any:
    return (client or Client()).post(f"/report/{query}", {**FORM, **values})


def errors(answer: Any) -> set[str]:
    assert answer.status_code in (400, 403, 409, 410, 429), answer.status_code
    return set(answer.context["form"].errors)


def asked(row: Report, text: str) -> None:
    moderator = person(f"moderator{row.pk}")
    until = timezone.now() + timedelta(minutes=30)
    Case.objects.filter(pk=row.case_id).update(claimed_by=moderator, claimed_until=until)
    ask_reporter(row, moderator, text)


def test_a_report_without_an_account_and_without_script() -> None:
    person("bert")
    page = Client().get("/report/").content.decode()
    assert 'name="email"' in page and 'name="good_faith"' in page and "You do not need an account for this." in page
    answer = send(headers={"accept-language": "nl"})
    row = Report.objects.get()
    assert answer["Location"] == f"/reports/{row.receipt}/" and row.reporter is None
    assert (row.kind, row.reporter_name, row.reporter_email) == ("profile", "Piet Puk", "piet@example.org")
    receipt = Client().get(answer["Location"])
    text = receipt.content.decode()
    assert receipt["Referrer-Policy"] == "same-origin" and str(row.receipt) in text
    assert "bert" not in text.lower() and "threatened" not in text and "Piet" not in text, "whoever has its address"


def test_with_an_account_no_name_is_asked() -> None:
    person("bert")
    lea = person("lea")
    page = signed_in(lea).get("/report/?kind=profile&what=/people/bert/").content.decode()
    assert 'name="email"' not in page and 'value="/people/bert/"' in page and 'name="starts"' not in page
    answer = send(signed_in(lea), "?kind=profile", words="")
    row = Report.objects.get()
    assert answer.status_code == 302 and (row.reporter, row.reporter_email) == (lea, "")


@pytest.mark.parametrize("kind", ["room", "title"])
def test_rooms_by_their_address(kind: str) -> None:
    room = open_room() if kind == "room" else prepared_room()
    Room.objects.filter(pk=room.pk, started_at__isnull=False).update(started_at=timezone.now() - timedelta(minutes=9))
    what = f"http://testserver/r/{room.slug}/"
    answer = send(kind=kind, what=what, starts="0:10", ends="0:40", about="")
    row = Report.objects.get()
    assert answer.status_code == 302 and (row.kind, row.room) == (kind, room)
    assert (row.from_ms, row.to_ms) == ((10_000, 40_000) if kind == "room" else (None, None))
    if kind == "room":
        send(kind=kind, what=room.slug, starts="0:10", ends="0:40", about=f"@{room.host.handle}")
        assert Report.objects.get(kind="person").subject == room.host


def test_messages_have_a_page_of_their_own() -> None:
    anna, bert = person("anna"), person("bert")
    written(bert, anna, "mean")
    what = "http://testserver/messages/bert/#m7"
    assert send(signed_in(anna), kind="message", what=what)["Location"] == "/messages/bert/7/report/"
    assert errors(send(kind="message", what=what)) == {"what"}, "signed out nobody can show one"
    assert errors(send(signed_in(anna), kind="message", what="@bert")) == {"what"}


def test_what_is_wrong_is_said_beside_its_field_and_nothing_breaks() -> None:
    person("bert")
    room, gone = open_room(), ended_room("second")
    Room.objects.filter(pk=gone.pk).update(purged_at=timezone.now())
    on_room = {"kind": "room", "what": room.slug, "starts": "0:00", "ends": "0:05"}
    wrong: list[tuple[dict[str, Any], set[str]]] = [
        ({"kind": ""}, {"kind"}),
        ({"kind": "planet"}, {"kind"}),
        ({"what": ""}, {"what"}),
        ({"what": "@nobody-here"}, {"what"}),
        ({"what": "https://example.com/people/bert/"}, {"what"}),
        ({"what": "http://[::1"}, {"what"}),
        ({"what": "/people/" + "x" * 400}, {"what"}),
        ({"category": ""}, {"category"}),
        ({"category": "boring"}, {"category"}),
        ({"words": ""}, {"words"}),
        ({"words": "x" * 2001}, {"words"}),
        ({"name": ""}, {"name"}),
        ({"email": ""}, {"email"}),
        ({"email": "piet"}, {"email"}),
        ({"email": "pïet@example.org"}, {"email"}),
        ({"good_faith": ""}, {"good_faith"}),
        ({**on_room, "starts": ""}, {"starts"}),
        ({**on_room, "starts": "0:09"}, {"ends"}),
        ({**on_room, "ends": "soon"}, {"ends"}),
        ({**on_room, "starts": "50:00", "ends": "51:00"}, {"ends"}),
        ({**on_room, "about": "@nobody-here"}, {"about"}),
        ({**on_room, "what": "nowhere222"}, {"what"}),
        ({**on_room, "what": gone.slug}, {"__all__"}),
        ({"kind": "picture"}, {"__all__"}),
    ]
    for values, fields in wrong:
        assert errors(send(**values)) == fields, values
    assert not Report.objects.exists()
    for query in ("kind=x&what=y", "kind=room&what=/r/x/&from=a&to=b", f"kind=room&what={room.slug}&from=1e9&to=2"):
        assert Client().get(f"/report/?{query}").status_code == 200, query


def test_reports_in_bulk_are_slowed_down_in_words() -> None:
    person("bert")
    answers = [send() for _number in range(8)]
    assert {answer.status_code for answer in answers} == {302, 429}
    assert "That was a bit much at once." in answers[-1].content.decode()


def test_own_things_are_not_reported() -> None:
    bert = person("bert")
    answer = send(signed_in(bert))
    assert answer.status_code == 409 and "You cannot report yourself." in answer.content.decode()


def test_a_stale_or_forged_form_is_a_clear_page() -> None:
    person("bert")
    assert send(once="made up").status_code == 302, "a mark that is not ours is none"
    assert Client(enforce_csrf_checks=True).post("/report/", FORM).status_code == 403
    assert Client().put("/report/").status_code == 405


def test_questions_and_answers_on_the_receipts_page() -> None:
    person("bert")
    path = send()["Location"]
    row = Report.objects.get()
    client = Client()
    assert "Questions and answers" not in client.get(path).content.decode()
    assert client.post(path, {"text": "Unasked"}).status_code == 409
    asked(row, "When was it?")
    page = client.get(path).content.decode()
    assert "When was it?" in page and f"moderator{row.pk}" not in page.lower() and "are looking at it" in page
    assert client.post(path, {"text": " "}).status_code == 400
    assert client.post(path, {"text": "x" * 1001}).status_code == 400
    assert client.post(path, {"text": "Yesterday <b>"})["Location"] == path
    assert "Yesterday &lt;b&gt;" in client.get(path).content.decode()
    assert ReportQuestion.objects.filter(author=None).count() == 1
    Case.objects.update(state="decided", decided_at=timezone.now())
    page = client.get(path).content.decode()
    assert "Moderators have decided." in page and 'name="text"' not in page
    assert client.post(path, {"text": "Late"}).status_code == 409


def test_a_receipt_is_in_its_reporters_language() -> None:
    person("bert")
    path = send(headers={"accept-language": "nl"})["Location"]
    Report.objects.update(language="nl")
    assert '<html lang="nl"' in Client(headers={"accept-language": "en"}).get(path).content.decode()


def test_entries_to_the_form() -> None:
    room, bert = prepared_room(), person("bert")
    over = ended_room("second")
    links = {
        f"/people/{bert.handle}/": "/report/?kind=profile&amp;what=/people/bert/",
        room.get_absolute_url(): f"/report/?kind=title&amp;what={room.get_absolute_url()}",
        over.get_absolute_url(): f"/rooms/{over.slug}/report/",
        "/": "/report/",
    }
    for path, link in links.items():
        assert f'href="{link}"' in Client().get(path).content.decode(), path
    assert "Report this page" not in signed_in(bert).get("/people/bert/").content.decode()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://here/r/abc/", Target(slug="abc")),
        ("here/r/abc/replay/#t=1-2", Target(slug="abc")),
        ("/rooms/abc/report/", Target(slug="abc")),
        ("abc", Target(slug="abc", handle="abc")),
        ("@Anna", Target(handle="Anna")),
        ("/people/@anna/", Target(handle="anna")),
        ("/messages/anna/#m12", Target(handle="anna", message=12)),
        ("/messages/anna/12/report/", Target(handle="anna", message=12)),
        ("/messages/anna/", Target(handle="anna")),
        ("https://there/r/abc/", Target(elsewhere=True)),
        ("https://there@here/r/abc/", Target(slug="abc")),
        ("/admin/", Target()),
        ("http://[", Target()),
        ("", Target()),
    ],
)
def test_addresses_are_read(text: str, target: Target) -> None:
    assert read_target(text, "here") == target
