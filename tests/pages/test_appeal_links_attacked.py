"""Links of appeals in browsers that have several of them, and receipts of reports without an account."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from config.logs import without_tokens
from moderation.actions.appeal_links import make_link, open_link
from moderation.models import Appeal, AppealDraft, AppealLink, Statement
from moderation.queries.appeals import concerned_right
from people.models import User
from tests.pages.test_appeal_pages import LINK, by_link, found, told
from tests.support.cases import kept_room, no_violation, open_case, violation
from tests.support.recordings import talked_room
from tests.support.reports import stranger_report

pytestmark = pytest.mark.django_db


def test_a_new_link_works_also_long_after_the_window() -> None:
    decision, _ada = found()
    told()
    right = concerned_right(
        Statement.objects.select_related("decision__case__room").get(decision=decision), timezone.now()
    )
    opened = open_link(make_link(right, timezone.now() - timedelta(days=400)))
    assert opened is not None and not opened.expired


def test_a_form_of_one_link_is_never_filed_by_another_that_was_opened_since() -> None:
    _decision, ada = found()
    client = by_link(told()[ada.email])
    shown = re.search(r'name="link" value="(\d+)"', client.get("/appeal/").content.decode())
    assert shown is not None
    violation(open_case(kept_room("", 10, ada), subject=ada))
    second = LINK.search(told()[ada.email])
    assert second is not None
    client.get(second[0])  # in another tab
    typed = {"words": "About the first one only", "link": shown[1]}
    answer = client.post("/appeal/", {"do": "file", **typed})
    assert answer.status_code == 409 and "About the first one only" in answer.content.decode()
    saved = client.post("/appeal/", {"do": "save", **typed}, headers={"accept": "application/json"})
    assert saved.status_code == 409 and "another link" in saved.json()["error"]
    assert not Appeal.objects.exists() and not AppealDraft.objects.exists()


def test_the_form_of_the_thousandth_link_names_it_as_a_key() -> None:
    _decision, ada = found()
    client = by_link(told()[ada.email])
    AppealLink.objects.update(id=12_345)
    assert 'name="link" value="12345"' in client.get("/appeal/").content.decode()
    values = {"do": "file", "words": "It was a quote.", "link": "12345"}
    assert client.post("/appeal/", values).status_code == 302 and Appeal.objects.exists()


def test_the_receipt_of_a_report_without_an_account_shows_neither_words_nor_room_nor_sound() -> None:
    room = talked_room(transcription=False)
    ada = User.objects.get(handle="ada")
    sent = stranger_report(room, subject=ada, from_ms=10_000, to_ms=12_000, words="Words of the stranger")
    no_violation(sent.case)
    text = told()[sent.reporter_email]
    page = Client().get(f"/reports/{sent.receipt}/appeal/").content.decode()
    assert 'name="words"' in page
    assert "/appeal/sound/" not in page
    assert room.title not in page
    assert "Words of the stranger" not in page
    linked = by_link(text).get("/appeal/").content.decode()
    assert "Words of the stranger" in linked and linked.count("/appeal/sound/") == 1


def test_no_log_has_a_token() -> None:
    for path in ("/appeal/abcDEF-123_/", "/appeal/sound/abc:DEF:123/"):
        assert "DEF" not in without_tokens(path)
    for path in ("/appeal/", "/appeal/link/", "/appeal/code/", "/decisions/5/appeal/"):
        assert without_tokens(path) == path
