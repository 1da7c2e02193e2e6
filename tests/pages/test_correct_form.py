"""Correcting a line by a plain form, as script does it over the API: the same action, the same refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from people.models import User
from retention import purge
from rooms.models import Room, Seat
from tests.support.people import person
from tests.support.recordings import talked_room
from tests.support.rooms import due_at, published
from transcripts.actions import CUE_TEXT
from transcripts.models import Cue

pytestmark = pytest.mark.django_db
SAID, RIGHT = "He was not an ill-disposed young man.", "He was a <b>well-disposed</b> young man."


@pytest.fixture
def room() -> Room:
    return talked_room()


@pytest.fixture
def cue(room: Room) -> Cue:
    return Cue.objects.get(transcript__room=room, text=SAID)


def client(handle: str | None) -> Client:
    browser = Client(enforce_csrf_checks=False)
    if handle is not None:
        browser.force_login(User.objects.get(handle=handle))
    return browser


def post(who: str | None, room: Room, pk: int, **values: str) -> Any:
    return client(who).post(f"/r/{room.slug}/replay/lines/{pk}/", values)


def text(answer: Any) -> str:
    """A page as it shows without script: what it keeps in templates is not seen."""
    return re.sub(r"<template.*?</template>", "", re.sub(r"\s+", " ", answer.content.decode()))


def test_the_form_of_a_line_is_a_link_away_and_shows_what_the_machine_heard(room: Room, cue: Cue) -> None:
    shown = text(client("host").get(f"/r/{room.slug}/replay/"))
    address = f"/r/{room.slug}/replay/?edit={cue.pk}"
    assert f'href="{address}#line-{cue.pk}"' in shown and "<textarea" not in shown
    opened = text(client("host").get(address))
    assert opened.count("<textarea") == 1 and f">{SAID}</textarea>" in opened
    assert f"Heard by the machine: {SAID}" in opened and 'name="take_back"' not in opened
    assert "<textarea" not in text(client("ada").get(address)), "who may not correct gets no form"
    searched = text(client("host").get(f"/r/{room.slug}/replay/?q=marry"))
    assert f"?q=marry&amp;edit={Cue.objects.get(text__contains='amiable woman').pk}#line-" in searched
    for nonsense in ("x", "99999999999999999999", "0", str(cue.pk) + "/"):
        assert client("host").get(f"/r/{room.slug}/replay/", {"edit": nonsense}).status_code == 200


def test_saved_and_taken_back(room: Room, cue: Cue) -> None:
    answer = post("host", room, cue.pk, text=f"  {RIGHT}\r\n ", q="young")
    assert (answer.status_code, answer["Location"]) == (302, f"/r/{room.slug}/replay/?q=young#line-{cue.pk}")
    cue.refresh_from_db()
    assert (cue.corrected_text, cue.text, cue.corrected_by) == (RIGHT, SAID, room.host)
    shown = text(client("host").get(f"/r/{room.slug}/replay/"))
    assert "a &lt;b&gt;well-disposed" in shown and f"Heard by the machine: {SAID}" in shown
    assert 'name="take_back"' in text(client("host").get(f"/r/{room.slug}/replay/?edit={cue.pk}"))
    assert post("host", room, cue.pk, text="not this", take_back="yes").status_code == 302
    cue.refresh_from_db()
    assert (cue.corrected_text, cue.corrected_by) == (None, None)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [(" \n ", "Write what was said: a line cannot be empty."), ("x" * (CUE_TEXT.most + 1), "This is too long")],
)
def test_what_is_wrong_stands_beside_what_was_typed(room: Room, cue: Cue, typed: str, sentence: str) -> None:
    answer = post("host", room, cue.pk, text=typed)
    shown = answer.content.decode()
    assert answer.status_code == 400 and sentence in shown and 'aria-invalid="true"' in shown
    assert f"{typed.strip()}</textarea>" in shown and f"Heard by the machine: {SAID}" in shown
    cue.refresh_from_db()
    assert cue.corrected_text is None


def test_cohosts_may_speakers_are_told_and_others_find_nothing(room: Room, cue: Cue) -> None:
    person("stranger")
    Seat.objects.filter(room=room, user__handle="bob").update(role="cohost", place=11)
    assert post("bob", room, cue.pk, text="by a co-host").status_code == 302
    told = post("ada", room, cue.pk, text="by a speaker")
    assert told.status_code == 403 and "Only the host and co-hosts of this room can do this." in text(told)
    assert [post(who, room, cue.pk, text="x").status_code for who in ("stranger", None)] == [404, 302]
    published(room)
    assert [post(who, room, cue.pk, text="x").status_code for who in ("stranger", None)] == [404, 302]
    assert client("host").get(f"/r/{room.slug}/replay/lines/{cue.pk}/")["Location"] == f"/r/{room.slug}/replay/"
    cue.refresh_from_db()
    assert cue.corrected_text == "by a co-host"


def test_no_line_of_another_room_and_none_after_the_purge(room: Room, cue: Cue) -> None:
    other = Room.objects.create(
        host=room.host,
        title="Other",
        status="ended",
        started_at=room.started_at,
        ended_at=room.ended_at,
        end_reason="host",
    )
    assert post("host", other, cue.pk, text="x").status_code == 404
    for pk in (0, 10**18, 10**30):
        assert post("host", room, pk, text="x").status_code == 404
    purge.purge([room.pk], due_at(room))
    assert post("host", room, cue.pk, text="x").status_code == 404


def test_the_form_needs_its_token(room: Room, cue: Cue) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(room.host)
    assert browser.post(f"/r/{room.slug}/replay/lines/{cue.pk}/", {"text": "x"}).status_code == 403
