"""The page of an ended room: who sees it, what it says in every state, and that it needs no script."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from people.models import COLOURS, User
from retention import purge
from rooms import actions
from rooms.models import Consent, Recording, RecordingFile, Room
from tests.support.people import PASSWORD, person
from tests.support.recordings import talked_room
from tests.support.rooms import due_at, make_public, open_room, published
from transcripts.models import Cue, TrackPlan, Transcript, TranscriptionWindow

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    return talked_room()


def client(user: User | str | None = None) -> Client:
    browser = Client()
    if user is not None:
        browser.force_login(User.objects.get(handle=user) if isinstance(user, str) else user)
    return browser


def page(room: Room, user: User | str | None = "host", **query: str) -> Any:
    return client(user).get(f"/r/{room.slug}/replay/", query)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_for_host_and_who_spoke_and_nobody_else(room: Room) -> None:
    person("stranger")
    assert [page(room, who).status_code for who in ("host", "ada", "stranger", None)] == [200, 200, 404, 404]
    published(room)
    assert [page(room, who).status_code for who in ("host", "ada", "stranger", None)] == [200, 200, 200, 200]
    actions.set_published(room.pk, room.host, False)
    assert page(room, None).status_code == 404


def test_signed_out_one_is_led_to_sign_in_whatever_there_is(room: Room) -> None:
    """The link of the mail, in a browser that is signed out: the same words as at an address where nothing is."""
    link = f"/r/{room.slug}/replay/?q=bread"
    answer, nowhere = client().get(link), client().get("/r/nosuchroom/replay/")
    assert answer.status_code == nowhere.status_code == 404
    assert "Sign in, and you see whether you are one of them" in text(answer)
    assert 'href="/accounts/login/?next=%2Fr%2F' in text(answer) and "%3Fq%3Dbread" in text(answer)
    assert room.title not in text(answer)

    def bare(page: Any, slug: str) -> str:
        random = r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|next=[^"]*'
        return re.sub(random, "", text(page)).replace(slug, "")

    assert bare(client().get(f"/r/{room.slug}/replay/"), room.slug) == bare(nowhere, "nosuchroom")
    assert "Sign in" in text(client().get(f"/r/{room.slug}/replay/my-lines.txt"))
    browser = client()
    where = {"login": "host", "password": PASSWORD, "next": link}
    assert browser.post("/accounts/login/", where)["Location"] == link
    assert browser.get(link).status_code == 200


def test_what_is_missing_is_told(room: Room) -> None:
    assert "is missing from the recording" not in text(page(room))
    Recording.objects.filter(room=room).update(missing_ms=95_000)
    assert "1 min is missing from the recording" in text(page(room))


def test_while_it_waits_for_space_nobody_is_promised_a_minute(room: Room) -> None:
    Recording.objects.filter(room=room).update(state=Recording.State.FINISHING)
    assert "This takes a minute or two" in text(page(room))
    Recording.objects.filter(room=room).update(error="5 MB free, 8 MB needed beyond the reserve")
    assert "waits for space on the disk" in text(page(room)) and "a minute or two" not in text(page(room))


def test_a_published_replay_is_for_who_may_come_in(room: Room) -> None:
    published(room)
    Room.objects.filter(pk=room.pk).update(entry_policy=Room.EntryPolicy.SIGNED_IN)
    person("stranger")
    assert [page(room, who).status_code for who in ("stranger", None)] == [200, 404]


def test_without_script_there_is_sound_and_every_line(room: Room) -> None:
    shown = text(page(room, "ada"))
    assert re.search(r'<audio controls preload="metadata" src="/files/[^"]+/mix\.m4a"', shown)
    assert shown.count('class="line') - shown.count('class="lines') == 5
    assert "He was not an ill-disposed young man." in shown and 'href="#t=10"' in shown
    assert "Download everything" not in shown and "Publish" not in shown and "data-edit" not in shown
    assert "Download what you said" in shown
    found = text(page(room, "ada", q="marry"))
    assert "more amiable woman" in found and "Dashwood" not in found, "searched with the room's language"
    assert "No line has these words" in text(page(room, "ada", q="zebra"))


def test_the_host_sees_the_clock_and_what_to_do(room: Room) -> None:
    shown = text(page(room))
    assert re.search("Kept for review until <time [^>]*>[^<]*</time>, then deleted.", shown)
    assert "Download everything" in shown and "Publish the replay" in shown and "data-edit" in shown


def test_publishing_by_the_button(room: Room) -> None:
    address = f"/r/{room.slug}/replay/publish/"
    assert "Only the host" in text(client("ada").post(address, {"published": "yes"}, follow=True))
    assert "Only the host" in text(client("ada").get(address, follow=True))
    statuses = [client().get(address).status_code, client().post(address, {"published": "yes"}).status_code]
    assert statuses == [404, 302]
    announced = {"published": "yes", "policy": "signed_in"}
    assert "publishes it: from" in text(client("host").post(address, announced, follow=True))
    assert page(room, None).status_code == page(room, person("stranger")).status_code == 404
    make_public(room)
    assert "Published on" in text(page(room, "stranger")) and page(room, None).status_code == 404
    assert "Published" in text(client("host").get("/dashboard/"))
    client("host").post(address, {"published": "no"})
    assert page(room, "stranger").status_code == 404


def test_before_publishing_the_voices_are_named(room: Room) -> None:
    """A page of its own, so that it needs no script: who speaks, and for whom it may be at most."""
    address = f"/r/{room.slug}/replay/publish/"
    assert "Publish the replay?" in text(client("host").get(address)) and Recording.objects.get().published_at is None
    shown = text(client("host").get(address))
    assert all(f"@{handle}" in shown for handle in ("host", "ada", "bob")) and "Publish in 24 hours" in shown
    offered = [f'value="{policy}"' in shown for policy in ("anyone", "signed_in", "followers", "invited")]
    assert offered == [True, True, True, False]
    Recording.objects.update(opened_policy="followers")
    shown = text(client("host").get(address))
    assert [f'value="{policy}"' in shown for policy in ("anyone", "signed_in", "followers")] == [False, False, True]
    client("host").post(address, {"published": "yes", "policy": "anyone"})
    assert Recording.objects.get().published_at is None
    Recording.objects.update(opened_policy="invited")
    assert "nobody else could come into the room" in text(client("host").get(address))
    Consent.objects.update(text_version="2026-11")
    assert "a text that did not name publishing" in text(client("host").get(address))


def test_speakers_object_by_the_button_and_nobody_reads_who(room: Room) -> None:
    address = f"/r/{room.slug}/replay/objection/"
    assert "Object to its publication" not in text(page(room, "ada"))
    actions.set_published(room.pk, room.host, True)
    assert "Object to its publication" in text(page(room, "ada")) and "Object to its" not in text(page(room, "host"))
    assert "Take my objection back" in text(client("ada").post(address, {"objected": "yes"}, follow=True))
    make_public(room)
    assert page(room, None).status_code == 404
    for reader in ("host", "bob"):
        shown = text(page(room, reader))
        part = shown[shown.index('id="who-hears"') :].partition("</section>")[0]
        words = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", part)  # it may have any three letters
        assert "does not want it published" in part and "ada" not in words.lower()
    assert "somebody objects" in text(client("host").get("/dashboard/"))
    assert client().post(address, {"objected": "no"})["Location"].startswith("/accounts/login/")
    client("ada").post(address, {"objected": "no"})
    assert page(room, None).status_code == 200


def test_download_leads_to_the_zip(room: Room) -> None:
    answer = client("host").post(f"/r/{room.slug}/replay/download/")
    assert answer.status_code == 302 and answer["Location"].endswith(f"/{room.slug}.zip")
    refused = client("ada").post(f"/r/{room.slug}/replay/download/", follow=True)
    assert "Only the host of the room can do that." in text(refused)


def test_what_one_said_oneself(room: Room) -> None:
    address = f"/r/{room.slug}/replay/my-lines."
    said = client("ada").get(address + "txt").content.decode()
    assert "young man" in said and "amiable himself" in said and "Dashwood" not in said
    assert client("bob").get(address + "vtt").content.decode().startswith("WEBVTT")
    assert [client(who).get(address + "txt").status_code for who in (None, person("stranger"))] == [404, 404]
    assert client("ada").get(address + "exe").status_code == 404
    Room.objects.filter(pk=room.pk).update(purged_at=timezone.now())
    assert client("ada").get(address + "txt").status_code == 404


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("finishing", "The recording is being put together"),
        ("failed", "The recording could not be put together"),
    ],
)
def test_states_of_the_recording(room: Room, state: str, sentence: str) -> None:
    Recording.objects.filter(room=room).update(state=state)
    shown = text(page(room))
    assert sentence in shown and "<audio" not in shown
    actions_for_others = page(room, None)
    assert actions_for_others.status_code == 404


def test_nobody_spoke() -> None:
    room = open_room("host")
    actions.end_room(room.pk, room.host)
    Recording.objects.update_or_create(room=room, defaults={"state": Recording.State.READY})
    assert "There is no sound in this recording" in text(page(room))


def test_states_of_the_transcript(room: Room) -> None:
    def becomes(state: str, **values: Any) -> str:
        finished = timezone.now() if state in ("ready", "failed") else None
        Transcript.objects.filter(room=room).update(state=state, finished_at=finished, **values)
        return text(page(room))

    Transcript.objects.filter(room=room).update(speech_ms=100_000, done_ms=40_000, spent_ms=20_000)
    assert re.search(r"The transcript is being written .*40 %.*about 1 min left", becomes("running"))
    assert "Some of it could not be transcribed" in becomes("failed")
    Cue.objects.all().delete()
    assert "Nobody said anything that could be understood." in becomes("ready")
    assert "This room has no transcript: transcription was off." in becomes("off")


def test_a_gap_is_marked_and_can_be_tried_again(room: Room) -> None:
    window = TranscriptionWindow.objects.filter(plan__transcript__room=room)[0]
    window.cues.update(kind=Cue.Kind.FAILED, text="")
    TranscriptionWindow.objects.filter(pk=window.pk).update(state="failed")
    assert "[not transcribed]" in text(page(room, "ada")) and "Try again" not in text(page(room, "ada"))
    assert "Try again" in text(page(room))
    client("host").post(f"/r/{room.slug}/replay/retry/")
    assert Transcript.objects.get(room=room).state in ("waiting", "running")
    assert TrackPlan.objects.filter(transcript__room=room).count() == 3


def test_after_the_purge_the_host_is_told_and_others_find_nothing(room: Room) -> None:
    purge.purge([room.pk], due_at(room))
    shown = text(page(room))
    assert "This recording has been deleted" in shown and "<audio" not in shown and "Dashwood" not in shown
    assert page(room, "ada").status_code == 404
    assert not RecordingFile.objects.filter(recording__room=room).exists()


def test_words_of_others_are_never_markup(room: Room) -> None:
    cue = Cue.objects.filter(transcript__room=room)[0]
    Cue.objects.filter(pk=cue.pk).update(text="<script>alert(1)</script>")
    User.objects.filter(handle="ada").update(display_name="</script><b>Ada")
    Room.objects.filter(pk=room.pk).update(title="</script><b>title")
    shown = text(page(room))
    assert "<script>alert" not in shown and "</script><b>" not in shown


def test_two_people_of_one_name_are_told_apart_in_the_transcript(room: Room) -> None:
    User.objects.filter(handle="ada").update(display_name=room.host.display_name)
    shown = text(page(room))
    name = f"{room.host.display_name}</b>"
    assert all(f'{name}<span class="handle soft small">@{handle}</span>' in shown for handle in ("host", "ada"))


def test_neighbouring_lanes_differ_in_colour_and_lines_have_that_of_their_lane(room: Room) -> None:
    shown = text(page(room))
    lanes = dict(re.findall(r'data-lane="([^"]+)" data-colour="([^"]+)"', shown))
    assert list(lanes.values()) == list(COLOURS[: len(lanes)]) and len(lanes) > 1
    said = re.findall(r'data-colour="([^"]+)" dir="auto">[^<]*</b><span\s+class="handle soft small">@([^<]+)<', shown)
    assert said and all(lanes[handle] == colour for colour, handle in said)


def test_a_live_room_leads_to_the_room() -> None:
    room = open_room("host")
    assert page(room)["Location"] == room.get_absolute_url()
    assert page(room, None).status_code == 404
    assert client("host").get("/r/nowhere/replay/").status_code == 404


def test_pages_take_few_queries_however_many_lines(room: Room, django_assert_max_num_queries: Any) -> None:
    window = TranscriptionWindow.objects.filter(plan__transcript__room=room)[0]
    cue = window.cues.get()
    Cue.objects.bulk_create(
        Cue(
            transcript=cue.transcript,
            window=window,
            position=number,
            seat=cue.seat,
            start_ms=number,
            end_ms=number + 1,
            language="en",
            text="word",
            model="m",
            version="1",
        )
        for number in range(1, 500)
    )
    browser = client("host")
    with django_assert_max_num_queries(25):
        assert browser.get(f"/r/{room.slug}/replay/").status_code == 200


def test_the_rooms_own_page_and_the_dashboard_lead_to_it(room: Room) -> None:
    link = f'href="/r/{room.slug}/replay/"'
    assert link in text(client("host").get(f"/r/{room.slug}/")) and link in text(client("host").get("/dashboard/"))
    assert link in text(client("ada").get(f"/r/{room.slug}/"))
    assert link not in text(client().get(f"/r/{room.slug}/"))
    published(room)
    assert link in text(client().get(f"/r/{room.slug}/"))
