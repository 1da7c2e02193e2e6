"""Publishing a replay: for whom at most, a day's notice to every voice, and objections that keep it closed."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from ledger.models import Entry
from people.models import User
from rooms import actions
from rooms.models import NOTICE, Consent, Recording, RecordingFile, ReplayObjection, Room, RoomEvent, Seat
from rooms.rules import permissions
from rooms.rules.identity import Who
from rooms.rules.publishing import NAMES_PUBLICATION, narrowest, up_to, wider, widest_publication
from rooms.rules.roles import may_replay
from social.models import Message
from social.threads import inbox
from tests.support.messages import deliver
from tests.support.people import person
from tests.support.races import refused
from tests.support.recordings import talked_room
from tests.support.rooms import make_public, published

pytestmark = pytest.mark.django_db

ANYONE, SIGNED_IN, FOLLOWERS, INVITED = "anyone", "signed_in", "followers", "invited"


@pytest.fixture
def room() -> Room:
    return talked_room()


def user(handle: str) -> User:
    return User.objects.get(handle=handle)


def recording_of(room: Room) -> Recording:
    return Recording.objects.get(room=room)


def heard_by_nobody_new(room: Room) -> bool:
    return not may_replay(Room.objects.get(pk=room.pk), Who(None, "visitor"))


# --- for whom at most -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "changes", "spoken", "limit"),
    [
        (ANYONE, [], [(0, 100)], ANYONE),
        (FOLLOWERS, [], [(0, 100)], FOLLOWERS),
        (FOLLOWERS, [], [], ANYONE),
        # Opened wider after the last word: what was said stays where it was said.
        (FOLLOWERS, [(200, ANYONE)], [(0, 100)], FOLLOWERS),
        # And narrowed again in the middle of a track, for a moment.
        (ANYONE, [(50, INVITED), (60, ANYONE)], [(0, 100)], INVITED),
        (ANYONE, [(50, INVITED), (60, ANYONE)], [(0, 40), (61, 100)], ANYONE),
        # A change at the millisecond in which a track begins holds for it, one at its end does not.
        (FOLLOWERS, [(10, SIGNED_IN)], [(10, 20)], SIGNED_IN),
        (SIGNED_IN, [(20, FOLLOWERS)], [(10, 20)], SIGNED_IN),
        # The narrowest of all voices.
        (ANYONE, [(50, SIGNED_IN), (150, FOLLOWERS)], [(0, 40), (60, 70), (160, 170)], FOLLOWERS),
    ],
)
def test_the_narrowest_policy_while_somebody_spoke(opened: str, changes: Any, spoken: Any, limit: str) -> None:
    assert narrowest(opened, changes, spoken) == limit


def test_widths() -> None:
    assert wider(ANYONE, SIGNED_IN) and wider(SIGNED_IN, FOLLOWERS) and wider(FOLLOWERS, INVITED)
    assert not wider(SIGNED_IN, SIGNED_IN) and not wider(INVITED, ANYONE)
    assert up_to(ANYONE) == [ANYONE, SIGNED_IN, FOLLOWERS] and up_to(FOLLOWERS) == [FOLLOWERS]
    assert up_to(INVITED) == up_to(None) == []


def test_a_room_of_followers_is_never_published_to_all(room: Room) -> None:
    Recording.objects.filter(room=room).update(opened_policy=FOLLOWERS)
    assert widest_publication(room, recording_of(room)) == FOLLOWERS
    assert refused(actions.set_published, room.pk, room.host, True, ANYONE) == "too_wide"
    # Whatever the room's policy says by now: a host cannot loosen it first and publish then.
    Room.objects.filter(pk=room.pk).update(entry_policy=ANYONE)
    assert refused(actions.set_published, room.pk, room.host, True) == "too_wide"
    assert recording_of(room).published_at is None
    assert published(room, FOLLOWERS).entry_policy == FOLLOWERS
    assert heard_by_nobody_new(room)


def test_what_the_log_says_of_policies_counts(room: Room) -> None:
    assert widest_publication(room, recording_of(room)) == ANYONE
    values = {"room": room, "type": "entry_policy_set"}
    RoomEvent.objects.create(**values, seq=901, at_ms=20_000, data={"policy": SIGNED_IN})
    RoomEvent.objects.create(**values, seq=902, at_ms=21_000, data={"policy": ANYONE})
    assert widest_publication(room, recording_of(room)) == SIGNED_IN
    RecordingFile.objects.filter(recording__room=room, kind="track").update(start_ms=22_000)
    assert widest_publication(room, recording_of(room)) == ANYONE, "nobody spoke meanwhile"


def test_a_voice_under_an_older_text_keeps_it_closed(room: Room) -> None:
    bob = user("bob")
    Consent.objects.filter(room=room, user=bob).update(text_version="2026-11")
    # Bob agreed to today's text later, but spoke under the older one first.
    later = timezone.now() + timedelta(seconds=5)
    Consent.objects.create(room=room, user=bob, text_version="2026-12", at=later)
    assert widest_publication(room, recording_of(room)) is None
    for policy in (ANYONE, INVITED, None):
        assert refused(actions.set_published, room.pk, room.host, True, policy) == "publication_not_agreed"
    Consent.objects.filter(room=room, user=bob, text_version="2026-11").delete()
    assert widest_publication(room, recording_of(room)) == ANYONE
    Consent.objects.filter(room=room, user=bob).delete()
    assert refused(actions.set_published, room.pk, room.host, True) == "publication_not_agreed"


def test_a_changed_text_is_a_new_version() -> None:
    """A consent is to a text: whoever changes it makes a new version, and says whether it names publication."""
    text = re.sub(r"\s+", " ", (Path(settings.BASE_DIR) / "templates/pages/consent_text.html").read_text())
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert {settings.CONSENT_VERSION: digest} == {"2026-12": "e50b588dfaf45d33"}
    assert settings.CONSENT_VERSION in NAMES_PUBLICATION and "publish the replay" in text


def test_who_sat_without_a_word_is_not_asked(room: Room) -> None:
    silent = person("silent")
    Seat.objects.create(room=room, user=silent, place=9, left_at=room.ended_at, left_reason="room_ended")
    assert widest_publication(room, recording_of(room)) == ANYONE
    actions.set_published(room.pk, room.host, True)
    assert [message.to for message in mail.outbox] == [[user(name).email] for name in ("ada", "bob")]


# --- a day's notice ---------------------------------------------------------------------------------------------------


def test_it_is_announced_and_opens_a_day_later(room: Room) -> None:
    begun = timezone.now()
    actions.set_published(room.pk, room.host, True)
    recording = recording_of(room)
    assert recording.published_at is not None and recording.announced_at is not None
    assert recording.published_at == recording.announced_at + NOTICE and recording.announced_at >= begun
    assert recording.published_by == room.host and heard_by_nobody_new(room)
    make_public(room)
    assert not heard_by_nobody_new(room)
    kinds = Entry.objects.filter(subject=f"room:{room.pk}", kind__startswith="replay_").values_list("kind", "actor")
    assert list(kinds) == [("replay_announced", room.host.pk)]


def test_the_mail_says_who_what_when_and_where_to_object(room: Room) -> None:
    User.objects.filter(handle="ada").update(language="nl", time_zone="Asia/Tokyo")
    actions.set_published(room.pk, room.host, True, SIGNED_IN)
    ada, bob = mail.outbox
    assert ada.to == [user("ada").email] and "Tokyo" in ada.body
    assert room.title in bob.subject and room.title in bob.body and room.host.display_name in bob.body
    assert f"/r/{room.slug}/replay/#who-hears" in bob.body and "People who are signed in" in bob.body
    due = recording_of(room).published_at
    assert due is not None and due.strftime("%H:%M") in bob.body, "in the zone of its reader"
    assert not any(word in bob.body for word in ("&quot;", "&#", "young man"))


def test_each_voice_gets_an_official_message_too_in_their_own_words_and_the_host_none(room: Room) -> None:
    User.objects.filter(handle="bob").update(time_zone="Asia/Tokyo", messages_from="nobody")
    actions.set_published(room.pk, room.host, True)
    actions.set_published(room.pk, room.host, True)  # said twice
    deliver()
    due = recording_of(room).published_at
    assert due is not None
    for name, there in (("ada", due), ("bob", due.astimezone(ZoneInfo("Asia/Tokyo")))):
        (row,) = inbox(user(name)).threads
        assert row.other is None and row.unread == 1 and row.last.message.kind == "official"
        line = row.last.drawn.text
        assert room.title in line and room.host.display_name in line and there.strftime("%H:%M") in line
        assert row.last.drawn.context["url"] == f"/r/{room.slug}/replay/#who-hears"
        assert render_to_string(row.last.drawn.template, dict(row.last.drawn.context)).count(str(room.slug)) == 1
    assert inbox(room.host).threads == []
    assert room.title not in str(list(Message.objects.values_list("data", "body"))), "keys only: words go with the room"
    Message.objects.update(data={"text": "publication", "values": {"room": 0, "by": 0, "at": due.isoformat()}})
    assert "is gone" in inbox(user("ada")).threads[0].last.drawn.text


def test_said_twice_it_is_announced_once(room: Room) -> None:
    first = actions.set_published(room.pk, room.host, True).published_at
    assert actions.set_published(room.pk, room.host, True).published_at == first
    assert len(mail.outbox) == 2


def test_fewer_people_at_once_and_more_after_another_day(room: Room) -> None:
    published(room, SIGNED_IN)
    mail.outbox.clear()
    actions.set_published(room.pk, room.host, True, FOLLOWERS)
    stranger = Who.of_user(person("stranger"))
    room.refresh_from_db()
    assert room.entry_policy == FOLLOWERS and recording_of(room).is_due_public() and not mail.outbox
    assert not may_replay(room, stranger)
    actions.set_published(room.pk, room.host, True, SIGNED_IN)
    room.refresh_from_db()
    assert not may_replay(room, stranger), "wider again: closed for a day, and everybody is told anew"
    assert not recording_of(room).is_due_public() and len(mail.outbox) == 2
    make_public(room)
    assert may_replay(room, stranger)
    kinds = Entry.objects.filter(kind__startswith="replay_").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["replay_announced", "replay_narrowed", "replay_announced"]


def test_taken_back_at_any_time(room: Room) -> None:
    published(room)
    actions.set_published(room.pk, room.host, False)
    recording = recording_of(room)
    assert (recording.announced_at, recording.published_at, recording.published_by) == (None, None, None)
    assert heard_by_nobody_new(room)
    actions.set_published(room.pk, room.host, False)
    assert Entry.objects.filter(kind="replay_withdrawn").count() == 1


def test_nobody_but_the_host(room: Room) -> None:
    for other in (user("ada"), person("stranger")):
        for publish in (True, False):
            assert refused(actions.set_published, room.pk, other, publish) == "not_host"
    assert refused(actions.set_published, room.pk, room.host, True, "everybody") == "bad_value"


# --- objections -------------------------------------------------------------------------------------------------------


def test_an_objection_keeps_it_closed_until_it_is_taken_back(room: Room) -> None:
    ada, bob = user("ada"), user("bob")
    actions.set_published(room.pk, room.host, True)
    actions.set_objection(room.pk, ada, True)
    actions.set_objection(room.pk, ada, True)
    actions.set_objection(room.pk, bob, True)
    assert ReplayObjection.objects.count() == 2
    make_public(room)
    assert heard_by_nobody_new(room)
    actions.set_objection(room.pk, bob, False)
    assert heard_by_nobody_new(room), "one is enough"
    # A host who takes it back and begins again gets round nobody.
    actions.set_published(room.pk, room.host, False)
    published(room)
    assert heard_by_nobody_new(room)
    actions.set_objection(room.pk, ada, False)
    assert not heard_by_nobody_new(room)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, None),
        ({"announced": False}, "no_objection_now"),
        ({"public": True}, "no_objection_now"),
        ({"public": True, "objected": True}, None),
        ({"announced": False, "objected": True}, None),
        ({"voice": False}, "not_found"),
        ({"role": "cohost"}, None),
        ({"role": "cohost", "voice": False}, "not_found"),
        ({"role": "host"}, "not_allowed"),
        ({"role": "listener"}, "not_found"),
    ],
)
def test_who_may_object_and_when(values: dict[str, Any], code: str | None) -> None:
    facts = {"role": "speaker", "voice": True, "announced": True, "public": False, "objected": False}
    assert permissions.may_object(**{**facts, **values}) == code


def test_objections_by_the_action(room: Room) -> None:
    ada = user("ada")
    assert refused(actions.set_objection, room.pk, ada, True) == "no_objection_now"
    actions.set_published(room.pk, room.host, True)
    assert refused(actions.set_objection, room.pk, person("stranger"), True) == "not_found"
    assert refused(actions.set_objection, room.pk, room.host, True) == "not_allowed"
    make_public(room)
    assert refused(actions.set_objection, room.pk, ada, True) == "no_objection_now"


def test_while_another_objects_it_is_not_too_late(room: Room) -> None:
    actions.set_published(room.pk, room.host, True)
    actions.set_objection(room.pk, user("ada"), True)
    make_public(room)
    actions.set_objection(room.pk, user("bob"), True)
    actions.set_objection(room.pk, user("ada"), False)
    assert heard_by_nobody_new(room)


def test_the_database_keeps_the_notice_and_one_objection_a_person(room: Room) -> None:
    now = timezone.now()
    rows = Recording.objects.filter(room=room)
    for values in (
        {"published_at": now},
        {"published_at": now, "announced_at": now, "published_by": room.host},
        {"published_at": now + NOTICE - timedelta(seconds=1), "announced_at": now, "published_by": room.host},
        {"published_at": now + NOTICE, "announced_at": now},
        {"announced_at": now},
    ):
        with pytest.raises(IntegrityError, match="recording_public_after_notice"), transaction.atomic():
            rows.update(**values)
    rows.update(published_at=now + NOTICE, announced_at=now, published_by=room.host)
    recording = rows.get()
    ReplayObjection.objects.create(recording=recording, user=user("ada"))
    with pytest.raises(IntegrityError, match="objection_once"), transaction.atomic():
        ReplayObjection.objects.create(recording=recording, user=user("ada"))
    assert connection.is_usable()


# --- clients that cheat -----------------------------------------------------------------------------------------------


def by(handle: str) -> Client:
    browser = Client()
    browser.force_login(user(handle))
    return browser


def put(browser: Client, path: str, values: dict[str, Any]) -> tuple[int, str]:
    answer = browser.put(f"/api/v1/rooms/{path}/", values, "application/json")
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def test_by_the_api(room: Room) -> None:
    replay, objection = f"{room.slug}/replay", f"{room.slug}/replay/objection"
    person("stranger")
    assert put(by("ada"), replay, {"published": True}) == (403, "not_host")
    assert put(by("host"), replay, {"published": True, "entry_policy": "everybody"})[0] == 400
    answer = by("host").put(f"/api/v1/rooms/{replay}/", {"published": True}, "application/json").json()
    assert answer["publication"] == "announced" and answer["published_at"] and answer["entry_policy"] == ANYONE
    assert put(by("stranger"), objection, {"objected": True}) == (404, "not_found")
    assert put(by("host"), objection, {"objected": True}) == (403, "not_allowed")
    assert put(Client(), objection, {"objected": True})[0] == 401
    assert put(by("ada"), "nosuchroom/replay/objection", {"objected": True}) == (404, "not_found")
    assert put(by("ada"), objection, {"objected": True}) == (200, "")
    make_public(room)
    assert Client().get(f"/api/v1/rooms/{replay}/").status_code == 404
    told = by("host").get(f"/api/v1/rooms/{room.slug}/recording/")
    state = told.content.split(b'"files"')[0].replace(room.slug.encode(), b"")  # which may have any three letters
    assert told.json()["publication"] == "objected" and b"ada" not in state
    assert put(by("bob"), objection, {"objected": False}) == (200, "")
    assert Client().get(f"/api/v1/rooms/{replay}/").status_code == 404, "one takes one's own back only"
    assert put(by("ada"), objection, {"objected": False}) == (200, "")
    assert Client().get(f"/api/v1/rooms/{replay}/").status_code == 200


def test_voices_are_not_flooded_with_mail(room: Room) -> None:
    host = by("host")
    codes = []
    for _time in range(8):
        codes.append(put(host, f"{room.slug}/replay", {"published": True})[1])
        put(host, f"{room.slug}/replay", {"published": False})
    assert codes[:5] == [""] * 5 and set(codes[5:]) == {"too_fast"}
    assert len(mail.outbox) == 10
