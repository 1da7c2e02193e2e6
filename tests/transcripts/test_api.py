"""Transcripts over the API and in the admin: who may, what comes out, how it refuses, and at what cost."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from people.models import User
from retention import purge
from rooms.models import Recording
from tests.support import recordings, sounds
from tests.support.people import person
from tests.support.rooms import due_at
from tests.support.staff import sign_in_staff
from transcripts import actions
from transcripts.jobs import claims, results
from transcripts.models import Cue, TrackPlan, TranscriptionWindow
from transcripts.speech.stitch import CueDraft, Word
from transcripts.speech.windows import Span

pytestmark = pytest.mark.django_db
SAID = [
    ("hanna", 1_000, "Good evening to all the regulars."),
    ("bram", 2_000, "The rooms were full of readers."),
    ("hanna", 9_000, "And nobody <i>listened</i> & left."),
    ("bram", 30_000, "Exactly."),
]


class Table:
    """A room with a host, a co-host, a speaker and a stranger, and what was said in it."""

    def __init__(self, language: str = "en") -> None:
        self.people = {handle: person(handle) for handle in ("hanna", "daan", "bram", "stranger")}
        self.recording: Recording = recordings.ended_recording(self.people["hanna"], language)
        self.room = self.recording.room
        self.url = f"/api/v1/rooms/{self.room.slug}/transcript/"
        for handle, place in (("hanna", 0), ("daan", 11), ("bram", 1)):
            seat = recordings.sat_until_the_end(self.recording, self.people[handle], place)
            recordings.lay_track(self.recording, seat, sounds.clip("0880"))
        actions.request_transcript(self.recording)
        while plan := claims.claim(TrackPlan, "planner"):
            results.save_plan(plan, [(Span(0, 25_000),)])

    def say(self, said: list[tuple[str, int, str]]) -> None:
        while window := claims.claim(TranscriptionWindow, "me"):
            handle = window.plan.file.seat.user.handle  # type: ignore[union-attr]
            lines = [CueDraft((Word(f" {text}", at, at + 1_000, 0.75),)) for who, at, text in said if who == handle]
            results.save_window(window, lines, results.EngineVersion("base", "v1"), 500)
        Cue.objects.filter(kind=Cue.Kind.UNCLEAR).delete()

    def client(self, handle: str) -> Client:
        client = Client()
        client.force_login(self.people[handle])
        return client


@pytest.fixture
def table() -> Table:
    made = Table()
    made.say(SAID)
    return made


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]  # type: ignore[attr-defined]


def test_only_who_is_heard_reads(table: Table) -> None:
    for path in ("", "cues/", "files/vtt/"):
        assert code(Client().get(table.url + path)) == (401, "not_signed_in")
        assert code(table.client("stranger").get(table.url + path)) == (404, "not_found")
        for handle in ("hanna", "daan", "bram"):
            assert table.client(handle).get(table.url + path).status_code == 200
    assert code(table.client("hanna").get("/api/v1/rooms/nowhere/transcript/")) == (404, "unknown_room")
    purge.purge([table.room.pk], due_at(table.room))
    assert code(table.client("hanna").get(table.url)) == (404, "no_transcript")


def test_the_host_sees_how_far_it_is() -> None:
    table = Table()
    window = claims.claim(TranscriptionWindow, "me")
    assert window
    results.save_window(window, [], results.EngineVersion("base", "v1"), 60_000)
    state = table.client("hanna").get(table.url).json()
    assert (state["state"], state["percent"], state["minutes_left"], state["may_correct"]) == ("running", 33, 2, True)
    assert table.client("bram").get(table.url).json()["may_correct"] is False


def test_lines_come_in_order_by_page_by_speaker_and_by_range(table: Table) -> None:
    client = table.client("bram")
    cues = client.get(table.url + "cues/").json()["cues"]
    assert [(cue["speaker"], cue["start_ms"], cue["text"]) for cue in cues] == SAID
    assert cues[0]["words"] == [{"w": " Good evening to all the regulars.", "s": 1_000, "e": 2_000, "p": 0.75}]
    assert (cues[0]["model"], cues[0]["version"], cues[0]["confidence"]) == ("base", "v1", 0.75)
    seen, after = [], "0-0"
    while after:
        page = client.get(table.url + "cues/", {"limit": "1", "after": after}).json()
        seen += page["cues"]
        after = page["next"]
    assert seen == cues
    of_bram = client.get(table.url + "cues/", {"speaker": "Bram"}).json()["cues"]
    assert [cue["start_ms"] for cue in of_bram] == [2_000, 30_000]
    ranged = client.get(table.url + "cues/", {"from_ms": 1_500, "to_ms": 9_000}).json()["cues"]
    assert [cue["start_ms"] for cue in ranged] == [1_000, 2_000]


def found(table: Table, words: str) -> list[int]:
    cues = table.client("hanna").get(table.url + "cues/", {"q": words}).json()["cues"]
    return [cue["start_ms"] for cue in cues]


def test_search_knows_the_language_and_what_the_host_corrected(table: Table) -> None:
    assert found(table, "room reader") == [2_000]
    assert found(table, '"good evening"') == [1_000]
    assert found(table, "evening -regulars") == []
    assert found(table, "'; DROP TABLE ) & ! :* \\") == []
    cue = Cue.objects.get(start_ms=30_000)
    table.client("hanna").patch(
        f"{table.url}cues/{cue.pk}/", {"text": "Definitely maybe"}, content_type="application/json"
    )
    assert found(table, "definite") == [30_000]
    assert found(table, "exactly") == []


def test_search_in_dutch() -> None:
    table = Table("nl")
    table.say([("hanna", 0, "De kamers waren vol."), ("bram", 5_000, "Ik luisterde.")])
    assert found(table, "kamer") == [0]


@pytest.mark.parametrize(
    "wrong", [{"limit": "0"}, {"limit": "x"}, {"after": "1"}, {"from_ms": "-1"}, {"q": "x" * 201}, {"q": "\x00"}]
)
def test_nonsense_is_refused(table: Table, wrong: dict[str, str]) -> None:
    assert code(table.client("hanna").get(table.url + "cues/", wrong)) == (400, "bad_value")


def test_host_and_co_host_correct_and_the_machine_s_text_stays(table: Table) -> None:
    cue = Cue.objects.get(start_ms=2_000)
    url = f"{table.url}cues/{cue.pk}/"

    def correct(handle: str, text: str | None, at: str = url) -> object:
        return table.client(handle).patch(at, json.dumps({"text": text}), content_type="application/json")

    answer = correct("daan", "  The rooms were\nfull of\u00ad leaders. ").json()  # type: ignore[attr-defined]
    assert (answer["text"], answer["machine_text"]) == ("The rooms were full of leaders.", SAID[1][2])
    assert answer["rows"] == ["The rooms were full of leaders."]
    cue.refresh_from_db()
    assert (cue.text, cue.corrected_by, cue.words[0]["w"]) == (SAID[1][2], table.people["daan"], " " + SAID[1][2])
    assert cue.corrected_at is not None
    assert code(correct("bram", "mine")) == (403, "not_host")
    assert code(correct("stranger", "mine")) == (404, "not_found")
    assert code(correct("hanna", " \u200f ")) == (400, "empty_text")
    assert code(correct("hanna", "x" * 1_001)) == (400, "text_too_long")
    assert code(correct("hanna", "full of\u202e leaders")) == (400, "bad_text")
    assert code(correct("hanna", "x", f"{table.url}cues/999999/")) == (404, "unknown_cue")
    assert correct("hanna", None).json()["text"] == SAID[1][2]  # type: ignore[attr-defined]
    assert not Cue.objects.exclude(corrected_text=None, corrected_by=None, corrected_at=None).exists()


def test_a_line_of_another_room_cannot_be_corrected_from_here(table: Table) -> None:
    other = recordings.ended_recording(person("other"))
    recordings.lay_track(other, recordings.sat_until_the_end(other, other.room.host, 0), sounds.clip("0880"))
    actions.request_transcript(other)
    client = Client()
    client.force_login(other.room.host)
    cue = Cue.objects.first()
    assert cue
    url = f"/api/v1/rooms/{other.room.slug}/transcript/cues/{cue.pk}/"
    assert code(client.patch(url, {"text": "x"}, content_type="application/json")) == (404, "unknown_cue")


@pytest.mark.parametrize(
    ("kind", "content_type", "holds"),
    [
        ("vtt", "text/vtt", "<v Hanna>And nobody &lt;i&gt;listened&lt;/i&gt; &amp; left.</v>"),
        ("srt", "application/x-subrip", "00:00:02,000 --> 00:00:03,823\nBram: The rooms were full of readers."),
        ("txt", "text/plain", "[00:00:30] Bram: Exactly."),
        ("json", "application/json", '"handle": "hanna"'),
    ],
)
def test_files(table: Table, kind: str, content_type: str, holds: str) -> None:
    answer = table.client("bram").get(f"{table.url}files/{kind}/")
    assert answer["Content-Type"].startswith(content_type)
    assert answer["Content-Disposition"] == f'attachment; filename="{table.room.slug}.{kind}"'
    assert holds in answer.content.decode()
    mine = table.client("bram").get(f"{table.url}files/{kind}/?mine=true").content.decode()
    assert "Exactly" in mine
    assert "evening" not in mine


def test_an_unknown_format_is_refused(table: Table) -> None:
    assert code(table.client("bram").get(table.url + "files/docx/")) == (404, "unknown_format")


def test_failures_are_tried_again_at_the_host_s_word(table: Table) -> None:
    assert code(table.client("bram").post(table.url + "retry/")) == (403, "not_host")
    assert code(table.client("hanna").post(table.url + "retry/")) == (409, "nothing_failed")


def test_lines_and_lists_cost_the_same_queries_however_many_there_are(
    table: Table, django_assert_max_num_queries: object
) -> None:
    window = TranscriptionWindow.objects.select_related("plan__transcript", "plan__file").first()
    assert window
    plan = window.plan
    assert plan.file.seat
    Cue.objects.bulk_create(
        Cue(
            transcript=plan.transcript,
            window=window,
            position=100 + at,
            seat=plan.file.seat,
            start_ms=at,
            end_ms=at + 9,
            text="x",
            language="en",
        )
        for at in range(300)
    )
    client = table.client("hanna")
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert len(client.get(table.url + "cues/?limit=300").json()["cues"]) == 300
    staff = sign_in_staff(Client(), User.objects.create_superuser("staff-1", "staff@example.org"))
    for model in ("cue", "transcript", "trackplan", "transcriptionwindow"):
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            answer = staff.get(reverse(f"admin:transcripts_{model}_changelist"), {"q": "reg"})
        assert answer.status_code == 200
        first = {"cue": Cue, "transcript": type(plan.transcript), "trackplan": TrackPlan}.get(
            model, TranscriptionWindow
        )
        row = first.objects.first()  # type: ignore[attr-defined]
        assert staff.get(reverse(f"admin:transcripts_{model}_change", args=[row.pk])).status_code == 200
        assert staff.get(reverse(f"admin:transcripts_{model}_add")).status_code == 403
