"""Pages of decisions and appeals: by those whom they concern, with links that are attacked, and what they can hear."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger.models import Entry
from moderation.actions.decisions import decide
from moderation.actions.telling_people import send_notification
from moderation.models import Appeal, AppealDraft, AppealLink, Case, Decision, Notification, Review, Statement
from people.models import User
from rooms.models import Room
from rooms.recording import store
from tests.support.cases import draft, kept_room, no_violation, open_case, review_decided, staff, violation, worked_on
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.reports import stranger_report

pytestmark = pytest.mark.django_db
LINK = re.compile(r"/appeal/([A-Za-z0-9_-]{43})/")
REASONS = "I listened to it again."  # `tests.support.cases.review_decided`


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told() -> dict[str, str]:
    """Tell everybody what waits; the last mail to each address."""
    for pk in Notification.objects.filter(told_at=None).order_by("pk").values_list("pk", flat=True):
        assert send_notification(pk)
    mails = {sent.to[0]: str(sent.body) for sent in mail.outbox}
    mail.outbox.clear()
    return mails


def found(*measures: tuple[str, int | None], reporter: User | None = None) -> tuple[Decision, User]:
    """A violation of Ada, of which everybody concerned may be told."""
    ada = person("ada")
    return violation(open_case(kept_room("", 10, ada), reporter, subject=ada), *measures), ada


def by_link(text: str) -> Client:
    """A browser that has opened the link of a mail."""
    link = LINK.search(text)
    assert link is not None, text
    client = Client()
    answer = client.get(link[0])
    assert answer.status_code == 302 and answer["Location"] == "/appeal/" and "no-referrer" in answer["Referrer-Policy"]
    return client


def post(client: Client, path: str, **values: str) -> Any:
    link = re.search(r'name="link" value="(\d+)"', client.get(path).content.decode())
    return client.post(path, {"do": "file", "once": "", **({"link": link[1]} if link else {}), **values})


# --- signed in --------------------------------------------------------------------------------------------------------


def test_the_statement_is_for_its_person_alone_and_from_being_told_on() -> None:
    lea = person("lea")
    decision, ada = found(("no_stage", 7), reporter=lea)
    path = f"/decisions/{decision.pk}/"
    assert signed_in(ada).get(path).status_code == 404, "nobody was told yet"
    told()
    page = signed_in(ada).get(path)
    text = page.content.decode()
    assert page.status_code == 200 and decision.facts in text and "/rules/no-violence/1/" in text
    assert "until" in text and f"/decisions/{decision.pk}/appeal/" in text and "noindex" in page["X-Robots-Tag"]
    assert not re.search(r"\blea\b", text) and decision.by.handle not in text
    for other in (lea, decision.by, staff("senior", "sena")):
        assert signed_in(other).get(path).status_code == 404
        assert signed_in(other).get(f"{path}appeal/").status_code == 404
    assert Client().get(path).status_code == 302
    assert signed_in(ada).get("/decisions/99999/").status_code == 404


def test_a_suspended_person_reads_and_appeals_and_does_nothing_else() -> None:
    decision, ada = found(("suspend", 7))
    told()
    client = signed_in(ada)
    refused = client.get("/dashboard/")
    assert refused.status_code == 403 and "/decisions/" in refused.content.decode()
    assert client.get("/decisions/").status_code == 200
    path = f"/decisions/{decision.pk}/appeal/"
    assert client.get(path).status_code == 200
    assert post(client, path, words="It was a quote.").status_code == 302
    assert Appeal.objects.get().person == ada
    assert "has arrived" in client.get(path).content.decode()
    assert client.get("/settings/").status_code == 403


def test_what_is_typed_is_kept_and_filed_once() -> None:
    decision, ada = found()
    told()
    client, path = signed_in(ada), f"/decisions/{decision.pk}/appeal/"
    before = list(AppealDraft.objects.all())
    assert client.get(path).status_code == client.head(path).status_code == 200
    assert list(AppealDraft.objects.all()) == before
    saved = client.post(path, {"do": "save", "words": "I meant"}, headers={"Accept": "application/json"})
    assert saved.json() == {"saved": True} and "I meant" in client.get(path).content.decode()
    assert client.post(path, {"do": "save", "words": "I meant it"}).status_code == 302
    long = post(client, path, words="x" * 2001)
    assert long.status_code == 400 and "x" * 2001 in long.content.decode() and "2000" in long.content.decode()
    assert post(client, path, words="  ").status_code == 400
    assert not Appeal.objects.exists()
    once = re.search(r'name="once" value="([^"]+)"', client.get(path).content.decode())
    assert once is not None
    for _time in range(2):
        assert post(client, path, words="x" * 2000, once=once[1].replace("&amp;", "&")).status_code == 302
    again = post(client, path, words="Another")
    assert again.status_code == 409 and Appeal.objects.count() == 1 and not AppealDraft.objects.exists()
    assert client.post(path, {"do": "save", "words": "More"}).status_code == 409


def test_a_reporter_appeals_by_the_receipt_and_reads_the_reasons() -> None:
    ada, lea, kim = person("ada"), person("lea"), person("kim")
    case = open_case(kept_room("", 10, ada), lea, subject=ada)
    open_case(case.room, kim, subject=ada)
    no_violation(case)
    told()
    report = case.reports.get(reporter=lea)
    path = f"/reports/{report.receipt}/"
    text = signed_in(lea).get(path).content.decode()
    assert "no violation" in text and f"{path}appeal/" in text
    assert signed_in(kim).get(f"{path}appeal/").status_code == 404 == Client().get(f"{path}appeal/").status_code
    client = signed_in(lea)
    assert client.get(f"{path}appeal/").status_code == 200
    assert post(client, f"{path}appeal/", words="LISTEN to the end").status_code == 302
    review_decided(Review.objects.get(), "upheld")
    told()
    page = client.get(f"{path}appeal/").content.decode()
    assert "was dismissed" in page and REASONS in page and "final here" in page
    others = f"/reports/{case.reports.get(reporter=kim).receipt}/"
    assert REASONS not in signed_in(kim).get(others).content.decode()


def test_the_own_page_has_everything_in_a_constant_number_of_statements() -> None:
    ada = person("ada")
    counts = []
    for number in range(3):
        decision = violation(open_case(kept_room("", 10, ada), subject=ada), ("warning", None))
        no_violation(open_case(kept_room("", 10, person()), ada))
        told()
        client = signed_in(ada)
        client.get("/decisions/")
        with CaptureQueriesContext(connection) as asked:
            text = client.get("/decisions/").content.decode()
        assert text.count(f"/decisions/{decision.pk}/") == 1 and text.count('class="own-row"') == 2 * (number + 1)
        counts.append(len(asked))
    assert counts[0] == counts[1] == counts[2], counts


def test_text_that_was_sent_signed_out_is_there_again_after_signing_in() -> None:
    decision, ada = found()
    told()
    client, path = signed_in(ada), f"/decisions/{decision.pk}/appeal/"
    owner = re.search(r'name="form_owner" value="([^"]+)"', client.get(path).content.decode())
    assert owner is not None
    client.logout()
    away = post(client, path, words="It took me an hour", form_owner=owner[1])
    assert away.status_code == 302 and not Appeal.objects.exists()
    client.force_login(ada)
    assert "It took me an hour" in client.get(path).content.decode()


def test_reports_that_wait_are_on_the_own_page_too() -> None:
    lea = person("lea")
    case = open_case(kept_room(), lea)
    assert f"/reports/{case.reports.get().receipt}/" in signed_in(lea).get("/decisions/").content.decode()
    assert "/reports/" not in signed_in(person()).get("/decisions/").content.decode()


# --- by link ----------------------------------------------------------------------------------------------------------


def test_a_link_shows_and_files_without_signing_in_and_a_look_changes_nothing() -> None:
    decision, ada = found(("no_stage", 3))
    mails = told()
    client = by_link(mails[ada.email])
    rows = (list(AppealLink.objects.values()), Entry.objects.count())
    for method in (client.get, client.head):
        answer = method("/appeal/")
        assert answer.status_code == 200 and "noindex" in answer["X-Robots-Tag"]
        assert "no-store" in answer["Cache-Control"]
    assert client.get("/appeal/link/").status_code == client.get("/appeal/code/").status_code == 302
    assert rows == (list(AppealLink.objects.values()), Entry.objects.count())
    assert decision.facts in client.get("/appeal/").content.decode()
    assert post(client, "/appeal/", words="It was a quote").status_code == 302
    page = client.get("/appeal/").content.decode()
    assert "has arrived" in page and 'name="words"' not in page
    assert post(client, "/appeal/", words="Again").status_code == 409
    assert client.get(f"/decisions/{decision.pk}/").status_code == 302, "it opens nothing else"


def test_links_that_are_wrong_newer_or_old_get_one_clear_page() -> None:
    _decision, ada = found()
    text = told()[ada.email]
    link = LINK.search(text)
    assert link is not None
    token = link[1]
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[:20], "x", "%00", "%ED%A0%80", "a" * 3000):
        client = Client()
        client.get(f"/appeal/{wrong}/")
        answer = client.get("/appeal/")
        assert answer.status_code in (404, 429) and "does not work" in answer.content.decode(), wrong
        assert post(client, "/appeal/", words="Mine").status_code in (404, 429)
    assert Client().get("/appeal/").status_code == 404
    forged = Client()
    forged.cookies["appeal"] = token
    assert forged.get("/appeal/").status_code == 404, "the cookie is signed"
    old = by_link(text)
    assert old.post("/appeal/link/").status_code == 302
    newer = by_link(str(mail.outbox.pop().body))
    assert old.get("/appeal/").status_code == 404 and newer.get("/appeal/").status_code == 200
    AppealLink.objects.update(expires_at=timezone.now())
    gone = newer.get("/appeal/")
    assert gone.status_code == 410 and "Send me a new link" in gone.content.decode()
    assert newer.post("/appeal/link/").status_code == 302 and len(mail.outbox) == 1 and not Appeal.objects.exists()


def test_guesses_are_slowed_down_and_those_with_a_link_are_not() -> None:
    _decision, ada = found()
    good = by_link(told()[ada.email])
    seen = set()
    for number in range(30):
        client = Client()
        client.get(f"/appeal/{'g' * 40}{number:03}/")
        answer = client.get("/appeal/")
        seen.add((answer.status_code, "does not work" in answer.content.decode()))
    assert seen == {(404, True), (429, True)}
    assert good.get("/appeal/").status_code == 200


def test_after_the_window_nothing_is_filed_and_the_page_says_so(settings: Any) -> None:
    settings.REPORT_WORDS_DAYS = 0.00001
    decision, ada = found()
    mails = told()
    time.sleep(max(0.0, (Statement.objects.get().appeal_until - timezone.now()).total_seconds()))
    assert LINK.search(mails[ada.email]) is None or by_link(mails[ada.email]).get("/appeal/").status_code == 200
    client = signed_in(ada)
    assert "Appeal</a>" not in client.get(f"/decisions/{decision.pk}/").content.decode()
    path = f"/decisions/{decision.pk}/appeal/"
    assert 'name="words"' not in client.get(path).content.decode()
    late = post(client, path, words="Late")
    assert late.status_code in (409, 410) and not Appeal.objects.exists()


def test_one_side_reads_nothing_of_the_other() -> None:
    ada, lea = person("ada"), person("lea")
    room = kept_room("", 10, ada)
    case = open_case(room, lea, subject=ada, words="MARK-LEA", from_ms=0, to_ms=1000)
    stranger_report(room, subject=ada, words="MARK-PIET", from_ms=300_000, to_ms=301_000)
    mara = staff("moderator", "mara")
    worked_on(case, mara)
    case.ranges.exclude(from_ms=0).delete()
    decision = decide(case, mara, draft(("no_stage", 3)))
    mails = told()
    theirs = by_link(mails["piet@example.org"])
    assert post(theirs, "/appeal/", words="MARK-APPEAL-PIET").status_code == 302
    hers = signed_in(ada)
    assert post(hers, f"/decisions/{decision.pk}/appeal/", words="MARK-APPEAL-ADA").status_code == 302
    assert Review.objects.count() == 1, "one reviewer, one outcome"
    review_decided(Review.objects.get(), "upheld")
    sent = told()
    pages = {
        "ada": hers.get(f"/decisions/{decision.pk}/").content.decode()
        + hers.get(f"/decisions/{decision.pk}/appeal/").content.decode()
        + hers.get("/decisions/").content.decode()
        + sent[ada.email],
        "piet": theirs.get("/appeal/").content.decode() + sent["piet@example.org"],
        "lea": signed_in(lea).get("/decisions/").content.decode()
        + signed_in(lea).get(f"/reports/{case.reports.get(reporter=lea).receipt}/").content.decode(),
    }
    own = {"ada": {"MARK-APPEAL-ADA"}, "piet": {"MARK-PIET", "MARK-APPEAL-PIET"}}
    assert REASONS in pages["ada"] and REASONS in pages["piet"] and REASONS not in pages["lea"]
    for who, text in pages.items():
        marks = set(re.findall(r"MARK-[A-Z-]+", text))
        assert marks <= own.get(who, set()), who
        assert "mara" not in text
    assert not re.search(r"\b(piet|lea)\b", pages["ada"].lower())
    assert decision.facts not in pages["piet"] and decision.facts not in pages["lea"]


# --- sound ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> tuple[Decision, User, Room]:
    """A violation of Ada between seconds 20 and 24 of a room with speech, of which she was told."""
    room = talked_room()
    ada = User.objects.get(handle="ada")
    case = open_case(room, subject=ada, from_ms=20_000, to_ms=24_000)
    return violation(case, ("restrict", None)), ada, room


def sounds_of(page: str) -> list[str]:
    return re.findall(r'src="(/appeal/sound/[^"]+)"', page)


def content(answer: Any) -> bytes:
    async def collected() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return asyncio.run(collected())


def samples(data: bytes, folder: Path) -> np.ndarray[Any, Any]:
    path = folder / "sound.m4a"
    path.write_bytes(data)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ar", "16000", "-ac", "1", "-f", "s16le", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    return np.frombuffer(done.stdout, np.int16).astype(float)


def likeness(sound: np.ndarray[Any, Any], within: np.ndarray[Any, Any]) -> float:
    """How like a sound is to the part of another that is most like it; 1 where that is the same, louder or softer."""
    energy = np.concatenate(([0.0], np.cumsum(within**2)))
    parts = np.sqrt(energy[len(sound) :] - energy[: -len(sound)])
    products = np.fft.irfft(np.fft.rfft(within) * np.fft.rfft(sound, len(within)).conj(), len(within))
    return float((products[: len(parts)] / parts).max() / np.linalg.norm(sound))


def test_a_clip_is_the_range_with_five_seconds_on_both_sides_and_no_more(
    heard: tuple[Decision, User, Room], tmp_path: Path
) -> None:
    decision, ada, room = heard
    told()
    client = signed_in(ada)
    (address,) = sounds_of(client.get(f"/decisions/{decision.pk}/appeal/").content.decode())
    answer = client.get(address)
    assert answer.status_code == 200 and answer["Content-Type"] == "audio/mp4" and "no-store" in answer["Cache-Control"]
    data = content(answer)
    clip, whole = samples(data, tmp_path), samples(store.mix_path(room.pk).read_bytes(), tmp_path)
    assert abs(len(clip) / 16000 - 14.0) < 0.15
    part = whole[15 * 16000 : 15 * 16000 + len(clip)]
    # It begins with a packet of sound, up to 800 samples away.
    assert likeness(clip[4800:-4800], part[4000:-4000]) > 0.9, "it is the sound of that range"
    assert Entry.objects.filter(kind="clip_heard").count() == 1
    half = client.get(address, headers={"Range": "bytes=100-199"})
    assert half.status_code == 206 and content(half) == data[100:200]
    assert Entry.objects.filter(kind="clip_heard").count() == 1, "a part of it is no other hearing"


def test_a_clip_ends_with_its_address_with_the_copy_and_is_none_of_child_safety(
    heard: tuple[Decision, User, Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    decision, ada, room = heard
    told()
    client, path = signed_in(ada), f"/decisions/{decision.pk}/appeal/"
    (address,) = sounds_of(client.get(path).content.decode())
    altered = address.replace("/appeal/sound/", "/appeal/sound/x")
    assert Client().get(altered).status_code == 404 == Client().get("/appeal/sound/x:y:z/").status_code
    with monkeypatch.context() as patched:
        patched.setattr("moderation.actions.clips.CLIP_SECONDS", -1)
        assert client.get(address).status_code == 404, "its minutes are over"
    Case.objects.update(child_safety=True)
    assert client.get(address).status_code == 404 and sounds_of(client.get(path).content.decode()) == []
    Case.objects.update(child_safety=False)
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    assert client.get(address).status_code == 404
    page = client.get(path).content.decode()
    assert sounds_of(page) == [] and "deleted when its time" in page and 'name="words"' in page, "on the record"


def test_by_link_the_sound_comes_again_by_a_code_once_an_appeal_is_filed(heard: tuple[Decision, User, Room]) -> None:
    _decision, ada, _room = heard
    client = by_link(told()[ada.email])
    assert len(sounds_of(client.get("/appeal/").content.decode())) == 1
    post(client, "/appeal/", words="A quote")
    page = client.get("/appeal/").content.decode()
    assert sounds_of(page) == [] and "Send me a code" in page
    mail.outbox.clear()
    client.post("/appeal/code/", {"do": "send"})
    code = re.search(r"^\d{8}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code is not None and mail.outbox[-1].to == [ada.email]
    client.post("/appeal/code/", {"do": "use", "code": "12345678"})
    assert sounds_of(client.get("/appeal/").content.decode()) == []
    client.post("/appeal/code/", {"do": "use", "code": code[0]})
    assert len(sounds_of(client.get("/appeal/").content.decode())) == 1
