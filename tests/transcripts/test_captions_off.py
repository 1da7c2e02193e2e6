"""A speaker without captions has none in the kept transcript: only moderators' ranges hear that track."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from rooms.models import CaptionsOff, Recording, Room
from rooms.recording import marker
from tests.support import recordings, sounds
from tests.support.people import person
from tests.transcripts.pieces import Told, never, transcript
from transcripts import actions
from transcripts.files.formats import plain_text
from transcripts.jobs.run import run_items
from transcripts.models import Cue, LiveLine, RangeCue, Transcript
from transcripts.queries import cues_between, file_header, format_lines
from transcripts.ranges import ask_for_range
from transcripts.refusals import TranscriptRefused
from transcripts.speech.windows import Span, cut_out, joined

pytestmark = pytest.mark.django_db


def after(recording: Recording, ms: int) -> object:
    assert recording.room.started_at is not None
    return recording.room.started_at + timedelta(milliseconds=ms)


@pytest.fixture
def two(db: None) -> Recording:
    """Hanna and Bob with a track each of the same clips; Bob wanted no captions."""
    made = recordings.ended_recording(person("hanna"))
    marker.check()
    bob = person("bob")
    places, end_ms = sounds.in_turn(("0870", "0880"))
    for place, user in enumerate((made.room.host, bob)):
        seat = recordings.sat_until_the_end(made, user, place)
        recordings.lay_track(made, seat, sounds.laid(places, end_ms), start_ms=2_000)
    assert made.room.started_at is not None
    CaptionsOff.objects.create(room=made.room, user=bob, since=made.room.started_at)
    return made


def test_nothing_of_theirs_is_transcribed_but_for_a_case(two: Recording) -> None:
    room, mira = two.room, person("mira")
    actions.request_transcript(two)
    engine = Told()
    run_items("me", never, lambda: engine)
    assert transcript().state == Transcript.State.READY
    by = {cue.seat.user.handle: cue for cue in Cue.objects.order_by("-start_ms")}
    assert by["hanna"].kind == "speech" and by["bob"].kind == "off"
    assert not Cue.objects.filter(seat__user__handle="bob").exclude(text="", words=[], kind="off").exists()
    text = "".join(plain_text(file_header(transcript()), format_lines(transcript())))
    assert "bob: [captions off]" in text.lower()
    with pytest.raises(TranscriptRefused, match="captions_off"):
        actions.correct_cue(room, by["bob"].pk, room.host, "words of mine")
    with pytest.raises(IntegrityError), transaction.atomic():
        Cue.objects.filter(pk=by["bob"].pk).update(corrected_text="words")
    # For a case: the lines of that range, his alone beside those of the transcript.
    ask_for_range(room, 0, 10_000, mira)
    run_items("me", never, lambda: engine)
    assert RangeCue.objects.filter(speaker__handle="bob").exists()
    lines = cues_between(room, 0, 10_000)
    bob = by["bob"].seat.user_id
    assert {line.reference.partition(":")[0] for line in lines if line.speaker_pk == bob} == {"range"}
    assert {line.reference.partition(":")[0] for line in lines if line.speaker_pk != bob} == {"cue"}


def test_a_room_in_which_nobody_refused_needs_no_range(two: Recording) -> None:
    CaptionsOff.objects.all().delete()
    actions.request_transcript(two)
    run_items("me", never, Told)
    assert not Cue.objects.filter(kind="off").exists()
    with pytest.raises(TranscriptRefused, match="has_transcript"):
        ask_for_range(two.room, 0, 10_000, person("mira"))


def test_a_refusal_that_was_taken_back_leaves_its_own_time_out(two: Recording) -> None:
    """Also a time in which captions of the whole room were off; what was said around it is there."""
    first = sounds.length_ms("0870")
    CaptionsOff.objects.update(user=None, until=after(two, 2_000 + first))
    actions.request_transcript(two)
    run_items("me", never, Told)
    for handle in ("hanna", "bob"):
        kinds = Cue.objects.filter(seat__user__handle=handle).order_by("start_ms").values_list("kind", flat=True)
        assert kinds[0] == "off" and "speech" in list(kinds)
        spoken = Cue.objects.filter(seat__user__handle=handle, kind="speech").order_by("start_ms")[0]
        assert spoken.start_ms >= 2_000 + first


def test_live_captions_of_a_room_that_ends_without_go_at_once(two: Recording) -> None:
    """There is no transcript that would take their place; with one they stay until it is ready."""
    words = {"words": [["well", 0, 100]], "started_ms": 0, "ended_ms": 100, "final": True}
    LiveLine.objects.create(room=two.room, speaker=two.room.host, line=1, **words)
    Room.objects.filter(pk=two.room.pk).update(transcription=False)
    two.room.refresh_from_db()
    assert actions.request_transcript(two).state == Transcript.State.OFF and not LiveLine.objects.exists()
    Transcript.objects.all().delete()
    LiveLine.objects.create(room=two.room, speaker=two.room.host, line=1, **words)
    Room.objects.filter(pk=two.room.pk).update(transcription=True)
    two.room.refresh_from_db()
    actions.request_transcript(two)
    assert LiveLine.objects.exists()


def test_spans_are_cut_at_the_times() -> None:
    spans = [Span(0, 100), Span(200, 300), Span(400, 500)]
    times = [Span(450, 10_000), Span(-50, 50), Span(220, 240), Span(230, 260)]
    outside, inside = cut_out(spans, times)
    assert outside == [Span(50, 100), Span(200, 220), Span(260, 300), Span(400, 450)]
    assert inside == [Span(0, 50), Span(220, 240), Span(240, 260), Span(450, 500)]
    assert joined(inside, 20) == [Span(0, 50), Span(220, 260), Span(450, 500)]
    assert cut_out(spans, []) == (spans, [])
