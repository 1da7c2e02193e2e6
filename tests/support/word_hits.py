"""Live rooms with confirmed captions and words of the list, as the process that writes captions makes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.test import Client
from django.utils import timezone

from moderation.actions.listed_words import add_word
from moderation.models import ListedWord, WordHit
from people.models import User
from rooms.models import Room
from tests.support.cases import staff
from tests.support.rooms import open_room, seated
from tests.support.staff import sign_in_staff
from transcripts.captions import actions
from transcripts.captions.actions import Line
from transcripts.models import CaptionedRoom
from transcripts.speech.stitch import Word

LIVE, PARTS = "/admin/moderation/case/live/", "/admin/moderation/case/live/parts/"
WORDS = "/admin/moderation/listedword/"
REASON = "There were threats in several rooms today."
Spoken = tuple[Room, User]


def long_room(host: str | User = "host", minutes: int = 10, **values: Any) -> Room:
    """A live room that began some minutes ago."""
    room = open_room(host, **values)
    Room.objects.filter(pk=room.pk).update(started_at=F("started_at") - timedelta(minutes=minutes))
    room.refresh_from_db()
    return room


def confirm(room: Room, speaker: User, number: int, text: str, at: int = 60_000, *, final: bool = True) -> None:
    """Confirm a line, of which each word takes 200 ms."""
    claim = actions.claim_room(room.pk, "one") or _held(room)
    words = tuple(Word(f" {word}", at + n * 200, at + n * 200 + 150, 0.9) for n, word in enumerate(text.split()))
    actions.keep_line(claim, speaker, Line(number, words, "", at, final))


def _held(room: Room) -> actions.Claim:
    return actions.Claim(room.pk, CaptionedRoom.objects.values_list("token", flat=True).get(room=room))


def listed(phrase: str, language: str = "", category: str = "hate", **values: Any) -> ListedWord:
    """A word that a senior put in the list."""
    return add_word(staff("senior"), phrase, language, category, **values)


def laid_hit(room: Room, speaker: User, line: int = 1, word: ListedWord | None = None) -> WordHit:
    """A place where a word was found, laid beside the captions."""
    word = word or ListedWord.objects.first() or listed("fool")
    where = {"room": room, "speaker": speaker, "line": line, "from_ms": 60_000, "to_ms": 60_350}
    return WordHit.objects.create(word=word, at=timezone.now(), **where)


def spoken_room(host: str, speaker: str) -> Spoken:
    """A live room with somebody at the table."""
    room = long_room(host)
    return room, seated(speaker, room)


def signed_in(user: User) -> Client:
    return sign_in_staff(Client(), user)


def shown(client: Client, path: str = PARTS) -> list[str]:
    """Addresses of the live rooms on the page."""
    answer = client.get(path)
    assert answer.status_code == 200
    return re.findall(r'data-keep="room-(\w+)"', answer.content.decode())


def text_on(client: Client) -> str:
    """The live rooms as they are worded, without line breaks."""
    return " ".join(client.get(PARTS).content.decode().split())


def press(client: Client, hit: int, what: str = "dismiss") -> Any:
    """Press a button of a place where a word was found: "case" or "dismiss"."""
    return client.post(f"{LIVE}word/{hit}/{what}/")
