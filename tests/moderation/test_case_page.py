"""The page of a case: evidence, acts and the decision, with Django's client and without script."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ledger.actions import Act, record_all
from ledger.models import Entry
from ledger.verify import verify
from moderation.actions.evidence import add_note, mark_range
from moderation.actions.looks import note_sound
from moderation.models import (
    ActAtOnce,
    Case,
    CaseNote,
    Decision,
    EvidenceLine,
    EvidenceRange,
    Look,
    Report,
    ReportQuestion,
)
from moderation.queries.access import has_looked
from people.models import Sanction, User
from social.models import Message
from tests.support.case_pages import at, client_of, draft, reported, staff
from tests.support.messages import written
from tests.support.people import people, person
from tests.support.recordings import talked_room
from tests.support.reports import message_report, report, stranger_report
from tests.support.rooms import open_room

pytestmark = pytest.mark.django_db


# --- who may see it ---------------------------------------------------------------------------------------------------

VIEWS = ("change", "peaks", "stage", "playlist", "lines", "second")
ACTS = ("claim", "mark", "quote", "note", "ask", "transcribe", "show", "at_once", "decide", "look", "second", "split")


def test_parties_and_whoever_has_no_right_see_no_case_and_act_in_none() -> None:
    case, _bert = reported()
    party = staff("party")
    case.parties.create(user=party)
    superuser = person("super", is_staff=True, is_superuser=True)
    case.parties.create(user=superuser)
    auditor = staff("auditor", ("view_roomclock",))
    child_safety = staff("safety", ("view_case", "claim_case", "decide_case", "child_safety_case"))
    for user in (party, superuser, auditor, child_safety):
        client = client_of(user)
        assert {name: client.get(at(case, name)).status_code for name in VIEWS} == dict.fromkeys(VIEWS, 404)
        assert client.get(at(case, "sound", "mix.m4a")).status_code == 404
        assert {name: client.post(at(case, name)).status_code for name in ACTS} == dict.fromkeys(ACTS, 404)
        listed = client.get(reverse("admin:moderation_case_changelist"))
        assert listed.status_code == 403 or f"/case/{case.pk}/" not in listed.content.decode()
    assert not Look.objects.exists() and client_of(staff("other")).get(at(case)).status_code == 200
    assert Client().get(at(case)).status_code == 302


def test_without_the_right_to_claim_or_decide_one_reads_only() -> None:
    case, _bert = reported()
    reader = client_of(staff("reader", ("view_case",)))
    page = reader.get(at(case)).content.decode()
    assert "He threatens her" in page and at(case, "claim") not in page and "data-decide" not in page
    for name, values in (("claim", {}), ("mark", {"from": "0:01", "to": "0:02"}), ("decide", draft())):
        assert reader.post(at(case, name), values).status_code == 403, name
    assert reader.post(at(case, "at_once"), {"do": "restrict", "sure": "yes"}).status_code == 403
    assert not EvidenceRange.objects.exists() and not Decision.objects.exists()


def test_the_page_shows_reporters_by_handle_and_what_the_account_did_before() -> None:
    case, bert = reported()
    moment = timezone.now()
    Sanction.objects.create(user=bert, kind="warning", why="Spam", begins_at=moment)
    other = report(person("carl"), None, kind="profile", subject=bert).case
    page = client_of(staff()).get(at(case)).content.decode()
    assert "@anna" in page and "anna@example.org" not in page and "Harassment" in page
    assert at(other) in page and "warning" in page.lower() and "0:01–0:04" in page
    assert f"Priority {case.priority}" in page


# --- looking ----------------------------------------------------------------------------------------------------------


def test_lines_are_shown_once_they_are_opened_and_that_stands_in_the_ledger() -> None:
    room = talked_room()
    ada = User.objects.get(handle="ada")
    case = report(person("anna"), room, subject=ada, from_ms=10_000, to_ms=20_000).case
    mod = staff("mod")
    client = client_of(mod)
    window = {"from": "10.000", "to": "20.000"}
    assert client.get(at(case, "lines"), window).status_code == 302  # nobody opened them
    opened = client.post(at(case, "look"), {"what": "lines", "from": "0:10", "to": "0:20"}, follow=True)
    text = opened.content.decode()
    cue = re.search(r'data-cue="(cue:\d+)"', text)
    assert opened.status_code == 200 and cue is not None
    client.post(at(case, "look"), {"what": "lines", "from": "0:10", "to": "0:20"})
    assert Look.objects.filter(what="lines").count() == 1 and Entry.objects.filter(kind="evidence_read").count() == 1
    Look.objects.update(at=timezone.now() - timedelta(minutes=11))
    client.post(at(case, "look"), {"what": "lines", "from": "0:10", "to": "0:20"})
    assert Look.objects.filter(what="lines").count() == 2
    client.post(at(case, "claim"))
    client.post(at(case, "quote"), {"cue": cue[1]})
    line = EvidenceLine.objects.get()
    assert line.text and line.text in client.get(at(case)).content.decode()
    client.post(at(case, "quote"), {"remove": line.pk})
    assert not EvidenceLine.objects.exists() and verify().ok


@pytest.mark.django_db(transaction=True)
def test_played_is_what_was_sent_and_nothing_that_a_client_says() -> None:
    """A client that cheats says that it played, asks for the header alone, for other sound, and then for all of it."""
    room = talked_room(transcription=False)
    case = report(person("anna"), room, subject=User.objects.get(handle="ada"), from_ms=10_000, to_ms=20_000).case
    mod = staff("mod")
    client, mix = client_of(mod), at(case, "sound", "mix.m4a")

    def fetch(**headers: str) -> int:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume asynchronous iterators")
            return len(b"".join(client.get(mix, headers=headers)))

    client.post(at(case, "claim"))
    said = client.post(at(case, "look"), {"what": "played", "from": "0:10", "to": "0:20"}, follow=True)
    assert "Something in what was sent is not right." in said.content.decode()
    client.head(mix)
    assert client.get(mix, headers={"range": "bytes=999999999-"}).status_code == 416
    assert fetch(range="bytes=0-99") == 100 and not Look.objects.exists(), "the header of the file holds no sound"
    fetch(range="bytes=-2000")
    look = Look.objects.get()
    assert look.from_ms is not None and look.to_ms is not None
    length = room.room_time(room.ended_at)
    assert length - 5000 < look.from_ms < look.to_ms <= length + 500 and not has_looked(case, mod)
    assert client.post(at(case, "decide"), {"outcome": "no_violation", "do": "preview"}).status_code == 409
    fetch(range="bytes=0-")
    assert has_looked(case, mod) and Look.objects.order_by("pk").last() != look
    first, *_more = Entry.objects.filter(kind="evidence_played").order_by("seq").values_list("data", flat=True)
    assert first["from"] == look.from_ms
    number = Entry.objects.filter(kind="evidence_played").count()
    fetch(range="bytes=0-")
    assert Entry.objects.filter(kind="evidence_played").count() == number, "again within ten minutes is the same look"


def test_streams_of_evidence_that_are_held_open_are_limited_by_person_and_by_address(settings: Any) -> None:
    """A client that opens stream after stream and reads none: refused, from wherever it comes, and colleagues at other
    addresses go on."""
    settings.DOWNLOADS_PER_PERSON, settings.DOWNLOADS_PER_ADDRESS = 3, 5
    room = talked_room(transcription=False)
    case = report(person("anna"), room, subject=User.objects.get(handle="ada"), from_ms=10_000, to_ms=20_000).case
    mix, held = at(case, "sound", "mix.m4a"), []

    def opened(client: Client, address: str, number: int) -> list[int]:
        answers = [client.get(mix, REMOTE_ADDR=address, headers={"range": "bytes=0-"}) for _stream in range(number)]
        held.extend(answers)
        return [answer.status_code for answer in answers]

    greedy, colleague, other = (client_of(staff()) for _person in range(3))
    assert opened(greedy, "192.0.2.1", 2) + opened(greedy, "192.0.2.2", 3) == [206, 206, 206, 429, 429]
    assert held[-1]["Retry-After"] and "no-store" in held[-1]["Cache-Control"]
    assert opened(colleague, "192.0.2.1", 3) == [206] * 3 and opened(other, "192.0.2.1", 1) == [429]
    assert opened(other, "192.0.2.3", 1) == [206], "a refusal by address takes nothing of the person's own"
    assert not Look.objects.exists(), "nothing was read"
    for answer in held:
        answer.close()


def test_sound_that_goes_on_is_one_look_and_an_entry_a_minute() -> None:
    case, _bert = reported()
    mod = staff("mod")
    for start in range(0, 150_000, 6_000):
        note_sound(case, mod, start, start + 6_000)
    look = Look.objects.get()
    assert (look.what, look.from_ms, look.to_ms) == ("played", 0, 150_000)
    entries = Entry.objects.filter(kind="evidence_played").order_by("seq").values_list("data", flat=True)
    assert [(data["from"], data["to"]) for data in entries] == [(0, 60_000), (60_000, 120_000), (120_000, 180_000)]
    note_sound(case, mod, 200_000, 206_000)
    assert Look.objects.count() == 2, "what lies between was not sent"


def test_sound_is_never_stored() -> None:
    room = talked_room(transcription=False)
    case = report(person("anna"), room, subject=User.objects.get(handle="ada"), from_ms=10_000, to_ms=20_000).case
    client = client_of(staff("mod"))
    for _again in range(2):
        answer = client.get(at(case, "sound", "mix.m4a"), headers={"range": "bytes=0-99"})
        assert answer.status_code == 206 and "no-store" in answer["Cache-Control"]
        assert answer["Content-Range"].startswith("bytes 0-99/")
    assert client.get(at(case, "sound", "../../etc/passwd")).status_code == 404
    drawn = client.get(at(case, "peaks")).json()
    assert drawn["kind"] == "mix" and {voice["name"] for voice in drawn["voices"]} == {"Host", "Ada", "Bob"}
    assert any(lane["talks"] for lane in drawn["peaks"]["lanes"])
    stage = client.get(at(case, "stage"), {"at": "15000"}).json()
    assert stage["at"] == 15000
    assert client.get(at(case, "stage"), {"at": "x" * 30}).status_code == 200
    # Transcribed on demand: asked by the page, and waited for.
    client.post(at(case, "transcribe"), {"from": "0:10", "to": "0:20"})
    waiting = client.post(at(case, "look"), {"what": "lines", "from": "0:10", "to": "0:20"}, follow=True)
    assert 'data-writing="yes"' in waiting.content.decode()


def test_what_was_reported_is_shown_once_it_is_opened() -> None:
    bert, reporter = person("bert"), person("reporter")
    written(bert, reporter, "I know where you live")
    case = message_report(reporter, Message.objects.get()).case
    client = client_of(staff())
    assert "I know where you live" not in client.get(at(case)).content.decode()
    client.post(at(case, "show"))
    assert "I know where you live" in client.get(at(case)).content.decode()
    bert.picture.save("x.webp", ContentFile(b"RIFF....WEBP and more"))
    row = stranger_report(kind="picture", subject=User.objects.get(pk=bert.pk))
    assert client.get(at(row.case, "picture", row.pk)).status_code == 404
    client.post(at(row.case, "show"))
    shown = client.get(at(row.case, "picture", row.pk))
    assert shown.content == b"RIFF....WEBP and more" and "no-store" in shown["Cache-Control"]
    assert at(row.case, "picture", row.pk) in client.get(at(row.case)).content.decode()
    assert Look.objects.filter(what="shown").count() == 2


# --- working ----------------------------------------------------------------------------------------------------------


def test_claim_mark_note_and_question(at_work: tuple[Client, User, Case, User]) -> None:
    client, mod, case, _bert = at_work
    client.post(at(case, "mark"), {"from": "0:01.5", "to": "0:03"})
    marked = EvidenceRange.objects.get()
    assert (marked.from_ms, marked.to_ms) == (1500, 3000)
    client.post(at(case, "note"), {"text": "Heard it twice."})
    row = Report.objects.get()
    client.post(at(case, "ask"), {"report": row.pk, "text": "Who else was there?"})
    assert ReportQuestion.objects.get().author == mod
    page = client.get(at(case)).content.decode()
    assert "Heard it twice." in page and "Who else was there?" in page and "Note added" in page
    other = client_of(staff("other"))
    assert "Mod" in other.get(at(case)).content.decode()
    refused = other.post(at(case, "claim"), follow=True).content.decode()
    assert "Somebody else is working on this case." in refused
    client.post(at(case, "mark"), {"remove": marked.pk})
    client.post(at(case, "claim"), {"do": "release"})
    case.refresh_from_db()
    assert case.claimed_by is None and not EvidenceRange.objects.exists() and verify().ok


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mark", {"from": "0:03", "to": "0:01"}),
        ("mark", {"from": "later", "to": "-1"}),
        ("mark", {"from": "9" * 40, "to": "9" * 41}),
        ("mark", {"from": "900:00", "to": "901:00"}),
        ("quote", {"cue": "cue:999999999999999999999"}),
        ("quote", {"cue": "‘;--"}),
        ("note", {"text": ""}),
        ("note", {"text": "x" * 3000}),
        ("look", {"what": "played", "from": "0:05", "to": ""}),
        ("look", {"what": "smelled", "from": "0:01", "to": "0:02"}),
        ("transcribe", {"from": "0:00", "to": "15:00"}),
        ("at_once", {"do": "restrict"}),
        ("at_once", {"do": "explode", "sure": "yes"}),
        ("at_once", {"do": "end", "sure": "yes"}),
    ],
)
def test_bad_input_is_a_clear_error(
    at_work: tuple[Client, User, Case, User], name: str, values: dict[str, str]
) -> None:
    client, _mod, case, _bert = at_work
    answer = client.post(at(case, name), values, follow=True)
    assert answer.status_code == 200 and 'class="message breaks error"' in answer.content.decode()
    assert not EvidenceRange.objects.exists() and not CaseNote.objects.exists() and not ActAtOnce.objects.exists()


def test_rows_of_others_are_unknown(at_work: tuple[Client, User, Case, User]) -> None:
    client, _mod, case, _bert = at_work
    other = report(person("carl"), None, kind="profile", subject=person("dirk"))
    assert client.post(at(case, "ask"), {"report": other.pk, "text": "?"}).status_code == 404
    assert client.post(at(case, "mark"), {"remove": "7"}).status_code == 404
    assert client.get(at(case, "picture", other.pk)).status_code == 404
    assert client.get(f"{reverse('admin:index')}moderation/case/{10**17}/").status_code == 404


def test_a_case_about_a_whole_room_is_split_by_person() -> None:
    room = talked_room(transcription=False)
    case = report(person("anna"), room, from_ms=1000, to_ms=4000).case
    client = client_of(staff())
    client.post(at(case, "claim"))
    ada = User.objects.get(handle="ada")
    assert f'value="{ada.pk}"' in client.get(at(case)).content.decode()
    assert client.post(at(case, "split"), {"person": "77777"}).status_code == 404
    answer = client.post(at(case, "split"), {"person": ada.pk}, follow=True)
    split = Case.objects.get(kind="person")
    assert split.subject == ada and answer.redirect_chain[-1][0] == at(split)
    assert f"It came out of case {case.pk}." in answer.content.decode()
    with CaptureQueriesContext(connection) as statements:
        client.get(at(case))
    assert len(statements) <= 20


def test_without_script_there_is_a_player_and_the_page_says_what_is_missing() -> None:
    client = client_of(staff())
    over = report(person("anna"), talked_room(transcription=False), from_ms=1000, to_ms=4000).case
    live = report(person("carl"), open_room("hanna"), from_ms=0, to_ms=1000).case
    for case, sound in ((over, at(over, "sound", "mix.m4a")), (live, at(live, "playlist"))):
        page = client.get(at(case)).content.decode()
        player = page.partition("<audio ")[2].partition(">")[0]
        assert f'src="{sound}"' in player and "controls muted" in player and 'preload="none"' in player
        said = page.partition("<noscript>")[2].partition("</noscript>")[0]
        assert "need JavaScript" in said and ("live room" in said) == (case == live)
        assert 'value="lines"' in page


def test_the_foot_says_whose_the_case_is() -> None:
    """On a phone, where the decision stands far below."""
    case, _bert = reported()
    mod, other = staff("mod"), staff("other")

    def foot(user: User) -> str:
        text = client_of(user).get(at(case)).content.decode()
        return " ".join(text.partition('data-part="foot"')[2].partition("</nav>")[0].split())

    assert "Nobody has claimed it" in foot(mod) and 'href="#decide"' in foot(mod)
    client_of(mod).post(at(case, "claim"))
    assert "Yours for 30 minutes" in foot(mod) and 'value="claim"' not in foot(mod)
    assert f"{mod.display_name}</bdi> is working on this" in foot(other)


# --- size -------------------------------------------------------------------------------------------------------------


def test_the_page_takes_twenty_statements_whatever_it_shows(at_work: tuple[Client, User, Case, User]) -> None:
    client, mod, case, bert = at_work
    mark_range(case, mod, 1000, 3000)
    with CaptureQueriesContext(connection) as few:
        client.get(at(case))
    crowd = people(50)
    for user in crowd:
        fresh = Report(case=case, kind="person", room=case.room, subject=bert, from_ms=1, to_ms=9, reporter=user)
        fresh.category_id, fresh.words = "harassment", "So it was"
        fresh.save()
        ReportQuestion.objects.create(report=fresh, author=mod, text="Where?")
        ReportQuestion.objects.create(report=fresh, text="There")
    CaseNote.objects.bulk_create(
        CaseNote(case=case, author=crowd[number % 50], text=f"Note {number}") for number in range(700)
    )
    add_note(case, mod, "again")
    with transaction.atomic():
        record_all([Act("note_added", case.ledger_subject, mod.pk, {"note": number}) for number in range(500)])
    with CaptureQueriesContext(connection) as many:
        page = client.get(at(case))
    assert page.status_code == 200 and Entry.objects.filter(subject=f"case:{case.pk}").count() > 500
    assert len(many) <= 20, "\n".join(query["sql"][:160] for query in many.captured_queries)
    assert len(many) <= len(few) + 1
