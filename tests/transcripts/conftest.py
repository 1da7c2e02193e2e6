"""A recording and its pieces of work."""

import pytest

from rooms.models import Recording
from tests.support import recordings, sounds
from tests.support.people import person
from transcripts import actions
from transcripts.jobs import claims, results
from transcripts.models import TrackPlan, TranscriptionWindow
from transcripts.speech.windows import Span


@pytest.fixture
def recording(db: None) -> Recording:
    """A room with one track of five clips: two windows."""
    host = person("hanna")
    made = recordings.ended_recording(host)
    places, end_ms = sounds.in_turn((*sounds.CLIPS, *sounds.CLIPS))
    recordings.lay_track(made, recordings.sat_until_the_end(made, host, 0), sounds.laid(places, end_ms), start_ms=2_000)
    return made


@pytest.fixture
def windows(recording: Recording) -> list[TranscriptionWindow]:
    """Its windows, planned and not begun."""
    actions.request_transcript(recording)
    plan = claims.claim(TrackPlan, "planner")
    assert plan is not None
    results.save_plan(plan, [(Span(0, 10_000),), (Span(11_000, 20_000), Span(30_000, 33_000))])
    return list(TranscriptionWindow.objects.order_by("position"))
