"""The list of words: who keeps it, what it takes, and the pages of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from ledger.models import Entry
from ledger.queries import text_of
from moderation.actions.listed_words import add_word, change_word
from moderation.models import Category, ListedWord
from tests.support.cases import refused, staff
from tests.support.word_hits import LIVE, WORDS, listed, signed_in

pytestmark = pytest.mark.django_db


def test_those_who_change_the_rulebook_keep_the_list() -> None:
    user = staff("senior")
    client = signed_in(user)
    form = {"phrase": " Vuile  hond ", "language": "nl", "category": "hate", "note": "As an insult."}
    assert client.post(f"{WORDS}add/", form).status_code == 302
    word = ListedWord.objects.get()
    assert (word.phrase, word.folded, word.language, word.added_by) == ("Vuile hond", "vuile hond", "nl", user)
    change = {"category": "harassment", "note": ""}
    assert client.post(f"{WORDS}{word.pk}/change/", change).status_code == 302
    word.refresh_from_db()
    assert (word.category_id, word.note, word.active) == ("harassment", "", False)
    assert not change_word(user, word, "harassment", "", active=False), "nothing changed"
    entries = Entry.objects.filter(kind="listed_word_changed").order_by("seq")
    assert [entry.data["change"] for entry in entries] == ["added", "changed"]
    assert entries[0].subject == f"word:{word.pk}" and "phrase" in entries[0].commitments
    assert [text_of(entry) for entry in entries] == ["Word of the list added", "Word of the list changed"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phrase": ""}, "phrase"),
        ({"phrase": "…!?"}, "phrase"),
        ({"phrase": "x" * 81}, "phrase"),
        ({"phrase": "VUILE, hónd"}, "phrase"),
        ({"language": "xx"}, "language"),
        ({"category": "nothing"}, "category"),
        ({"category": "child_safety"}, "category"),
        ({"note": "x" * 301}, "note"),
    ],
)
def test_wrong_words_are_refused(values: dict[str, str], field: str) -> None:
    listed("vuile hond", "nl")
    client, before = signed_in(staff("senior")), Entry.objects.count()
    form = {"phrase": "nieuw", "language": "nl", "category": "hate", "note": "", **values}
    page = client.post(f"{WORDS}add/", form)
    assert page.status_code == 400 and field in page.context["form"].errors
    assert ListedWord.objects.count() == 1 and Entry.objects.count() == before


def test_what_is_in_the_list_is_named_and_a_full_list_takes_no_more(monkeypatch: Any) -> None:
    user = staff("senior")
    client, form = signed_in(user), {"phrase": "Vuile hond", "language": "nl", "category": "hate", "note": ""}
    unused = listed("fool")
    change_word(user, unused, "hate", "", active=False)
    listed("vuile hond", "nl")
    assert "“Vuile hond” is in the list already." in client.post(f"{WORDS}add/", form).content.decode()
    monkeypatch.setattr("moderation.actions.listed_words.MOST", 1)
    page = client.post(f"{WORDS}add/", {**form, "phrase": "nieuw"})
    assert page.status_code == 400 and "The list is full" in page.content.decode()
    assert refused(change_word, user, unused, "hate", "", active=True) == "list_full", "nor is one taken back into use"
    assert change_word(user, unused, "hate", "As an insult.", active=False)
    assert ListedWord.objects.filter(active=True).count() == 1


def test_a_word_whose_category_was_retired_can_be_changed_and_keeps_it() -> None:
    user = staff("senior")
    client, word = signed_in(user), listed("fool", category="hate")
    Category.objects.filter(pk="hate").update(retired_at=timezone.now())
    path = f"{WORDS}{word.pk}/change/"
    assert "Hate against a group of people" in client.get(path).content.decode()
    assert client.post(path, {"category": "hate", "note": "As an insult.", "active": "on"}).status_code == 302
    word.refresh_from_db()
    assert (word.category_id, word.note, word.active) == ("hate", "As an insult.", True)
    assert refused(add_word, user, "other", "", "hate") == "bad_value"
    assert client.post(path, {"category": "harassment", "note": ""}).status_code == 302
    word.refresh_from_db()
    assert refused(change_word, user, word, "hate", "", active=True) == "bad_value"


def test_moderators_read_the_list_and_change_nothing_and_nobody_else_reads_it() -> None:
    word, mod = listed("fool"), staff()
    client = signed_in(mod)
    assert client.get(WORDS).status_code == client.get(f"{WORDS}{word.pk}/change/").status_code == 200
    assert client.get(f"{WORDS}add/").status_code == client.post(f"{WORDS}add/", {}).status_code == 403
    assert client.post(f"{WORDS}{word.pk}/change/", {"category": "hate"}).status_code == 403
    assert client.get(f"{WORDS}9{word.pk}/change/").status_code == 404
    assert refused(add_word, mod, "x", "", "hate") == refused(change_word, mod, word, "hate", "", active=False)
    for role in ("auditor", "administrator", "outside", "child_safety"):
        status = signed_in(staff(role)).get(WORDS).status_code
        assert status == (200 if role == "child_safety" else 403)
    assert signed_in(staff("senior")).post(f"{WORDS}{word.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ListedWord.objects.get().active


def test_the_pages_of_the_console_lead_there() -> None:
    client = signed_in(staff("senior"))
    assert LIVE in client.get("/admin/").content.decode()
    assert LIVE in client.get("/admin/moderation/case/?show=open").content.decode()
    assert WORDS in client.get("/admin/moderation/rule/").content.decode()
