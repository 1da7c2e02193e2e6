"""Lines that the machine may have made up are marked, on the page, in the API and in files; corrected ones are not."""

from __future__ import annotations

import pytest
from django.test import Client

from rooms.models import Room
from tests.support.recordings import talked_room
from transcripts.doubt import LIMIT, doubtful
from transcripts.models import Cue

MARK = "data-doubt>[doubtful]"
ABOUT = "data-about-doubt"


@pytest.fixture
def room(db: None) -> Room:
    return talked_room()


def test_the_limit() -> None:
    assert not doubtful(None) and not doubtful(LIMIT) and not doubtful(1.0)
    assert doubtful(LIMIT - 0.001) and doubtful(0.0)


def test_a_doubtful_line_is_marked_in_words_wherever_it_is_read(room: Room) -> None:
    client = Client()
    client.force_login(room.host)
    place = f"/api/v1/rooms/{room.slug}/transcript/"
    Cue.objects.update(confidence=0.95)
    assert MARK not in (page := client.get(f"/r/{room.slug}/replay/").content.decode()) and ABOUT not in page

    cue = Cue.objects.filter(kind=Cue.Kind.SPEECH, corrected_text=None).earliest("pk")
    Cue.objects.filter(pk=cue.pk).update(confidence=LIMIT - 0.1)
    page = client.get(f"/r/{room.slug}/replay/").content.decode()
    assert page.count(MARK) == 1 and page.count(ABOUT) == 1
    marked = [one["id"] for one in client.get(f"{place}cues/").json()["cues"] if one["doubtful"]]
    assert marked == [cue.pk]
    for kind in ("vtt", "srt", "txt"):
        assert client.get(f"{place}files/{kind}/").content.decode().count("[doubtful]") == 1

    answer = client.patch(f"{place}cues/{cue.pk}/", {"text": "What was said."}, content_type="application/json")
    assert answer.status_code == 200 and answer.json()["doubtful"] is False
    assert MARK not in client.get(f"/r/{room.slug}/replay/").content.decode(), "somebody listened to it"
