"""Real Whisper (`base`) on real speech: is it right, by the right person, at the right time, in the right language?"""

from pathlib import Path
from statistics import median

import numpy as np
import pytest

from people.models import User
from rooms.models import Recording
from tests.support import recordings, sounds
from tests.support.people import person
from transcripts import actions
from transcripts.jobs.run import run_items
from transcripts.models import Cue, Transcript
from transcripts.speech.audio import Sound
from transcripts.speech.engine import EngineUnavailable, TookTooLong, UnknownLanguage, WhisperEngine, engine

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def base(settings: object) -> None:
    settings.WHISPER_MODEL = "base"  # type: ignore[attr-defined]


def transcribe(recording: Recording) -> Transcript:
    actions.request_transcript(recording)
    run_items("me", lambda: False)
    transcript = Transcript.objects.get(room=recording.room)
    assert transcript.state == Transcript.State.READY, transcript.trouble
    return transcript


def words_of(user: User) -> list[dict[str, object]]:
    return [word for cue in Cue.objects.filter(seat__user=user).order_by("start_ms") for word in cue.words]


def text_of(user: User) -> list[str]:
    return sounds.plain_words(" ".join(str(word["w"]) for word in words_of(user)))


def reference(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in sounds.WORDS[name].split()]


def known_times(name: str) -> list[tuple[str, int, int]]:
    """When each word of a clip is said, by an aligner of another kind."""
    lines = (Path(__file__).parent / "word_times.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(word, int(start), int(end)) for clip, word, start, end in rows if clip == name]


def errors_ms(found: list[dict[str, object]], laid: list[tuple[int, str]], offset_ms: int) -> list[int]:
    """How far each recognised word's beginning is from where it was laid; words in order, unmatched ones left out."""
    errors = []
    rest = [(sounds.plain_words(str(word["w"])), word) for word in found]
    for at_ms, name in laid:
        for word, start, _end in known_times(name):
            match = next((i for i, (said, _w) in enumerate(rest[:4]) if said and said[0] == word), None)
            if match is not None:
                errors.append(abs(int(str(rest[match][1]["s"])) - (offset_ms + at_ms + start)))
                rest = rest[match + 1 :]
    return errors


def test_every_clean_clip_is_understood_though_four_talk_at_once() -> None:
    """All English clips there are, by four voices, each on a track of its own, all of them from the first second on."""
    voices = {"austen": sounds.CLIPS, **{f"voice-{name}": (name,) for name in sounds.OTHERS}}
    said = {handle: " ".join(sounds.WORDS[name] for name in names) for handle, names in voices.items()}
    recording = recordings.ended_recording(person("austen"))
    places: dict[str, list[tuple[int, str]]] = {}
    for place, (handle, names) in enumerate(voices.items()):
        places[handle], end_ms = sounds.in_turn(names, 1_000, 900)
        user = User.objects.filter(handle=handle).first() or person(handle)
        recordings.lay_track(
            recording, recordings.sat_until_the_end(recording, user, place), sounds.laid(places[handle], end_ms + 500)
        )
    transcribe(recording)
    rates = {name: clip_error_rate(handle, at_ms, name) for handle in voices for at_ms, name in places[handle]}
    print("word error rate:", {name: f"{rate:.1%}" for name, rate in rates.items()})  # noqa: T201
    assert len(rates) == 8 and max(rates.values()) < 0.20
    wrong = [cue.text for cue in Cue.objects.all() if not sounds.is_by(cue.seat.user.handle, cue.text, said)]
    assert not wrong and Cue.objects.count() >= 8
    cues = list(Cue.objects.all())
    print("confidence:", sorted(cue.confidence or 0.0 for cue in cues))  # noqa: T201
    assert not [cue.text for cue in cues if cue.is_doubtful], "no good line is marked"
    pairs = [(one, other) for one in cues for other in cues if one.seat_id < other.seat_id]
    assert any(one.start_ms < other.end_ms and other.start_ms < one.end_ms for one, other in pairs), "at once"


def clip_error_rate(handle: str, at_ms: int, name: str) -> float:
    """The error rate in what somebody said while this clip was played."""
    ends = at_ms + sounds.length_ms(name)
    found = words_of(User.objects.get(handle=handle))
    heard = " ".join(str(word["w"]) for word in found if at_ms - 400 < int(str(word["s"])) < ends)
    return sounds.word_error_rate(sounds.WORDS[name].split(), sounds.plain_words(heard))


def test_word_times_are_where_the_clips_were_laid_also_after_a_gap() -> None:
    """Two tracks of one speaker with minutes between them, and minutes of silence inside the first."""
    hanna = person("hanna")
    recording = recordings.ended_recording(hanna)
    sat = recordings.sat_until_the_end(recording, hanna, 0)
    laid, end_ms = sounds.in_turn(("0870", "0880", "0890"), 3_000, 900)
    behind, end_ms = sounds.in_turn(("0920", "0930"), 180_000, 900)
    recordings.lay_track(recording, sat, sounds.laid([*laid, *behind], end_ms), start_ms=7_000)
    again, end_ms = sounds.in_turn(("0890", "0880"), 2_500, 900)
    recordings.lay_track(recording, sat, sounds.laid(again, end_ms), start_ms=1_500_000)
    transcribe(recording)
    found = words_of(hanna)
    rate = sounds.word_error_rate(reference(("0870", "0880", "0890", "0920", "0930", "0890", "0880")), text_of(hanna))
    parts = {
        "first": (errors_ms([w for w in found if int(str(w["s"])) < 100_000], laid, 7_000), 40),
        "after silence": (errors_ms([w for w in found if 100_000 < int(str(w["s"])) < 1e6], behind, 7_000), 18),
        "after a gap": (errors_ms([w for w in found if int(str(w["s"])) > 1e6], again, 1_500_000), 18),
    }
    for name, (errors, least) in parts.items():
        print(f"{name}: median error {median(errors):.0f} ms, worst {max(errors)} ms, {len(errors)} words")  # noqa: T201
        assert len(errors) >= least
        assert median(errors) < 200
    print(f"word error rate: {rate:.1%}")  # noqa: T201
    assert rate < 0.20


def test_speech_without_a_pause_is_cut_without_doubling_or_losing_words() -> None:
    hanna = person("hanna")
    recording = recordings.ended_recording(hanna)
    names = (*sounds.CLIPS, *sounds.CLIPS)
    sound = np.concatenate([sounds.clip(name)[3_000:-3_000] for name in names])  # without the silence at their ends
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, hanna, 0), sound)
    transcribe(recording)
    rate = sounds.word_error_rate(reference(names), text_of(hanna))
    print(f"word error rate: {rate:.1%}")  # noqa: T201
    assert rate < 0.20


def test_dutch_sentences_are_heard_as_dutch_in_a_dutch_room() -> None:
    """A hurried voice out of a game, in telephone quality: most words are right, and Dutch in a Dutch room only."""
    wanted = sounds.plain_words(" ".join(sounds.DUTCH_SENTENCES.values()))
    wrong, marked = {}, {}
    for language in ("nl", "en"):
        host = dutch_talk(language, sounds.dutch_sentences())
        marked[language] = [cue.is_doubtful for cue in Cue.objects.filter(seat__user=host)]
        wrong[language] = sounds.word_error_rate(wanted, text_of(host))
        print(f"{language} room: {wrong[language]:.0%} of words wrong, {' '.join(text_of(host))}")  # noqa: T201
    assert wrong["nl"] < 0.5
    assert wrong["en"] > 0.9, "as good as no word is Dutch there"
    assert sum(marked["en"]) >= 0.8 * len(marked["en"]), "and the page says that they are doubtful"
    assert sum(marked["nl"]) <= 0.2 * len(marked["nl"])


def dutch_talk(language: str, sound: Sound) -> User:
    """The host of a room of this language, who said this; every line of it is in that language."""
    host = person(f"host-{language}")
    recording = recordings.ended_recording(host, language)
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, host, 0), sound)
    transcribe(recording)
    assert set(Cue.objects.filter(seat__user=host).values_list("language", flat=True)) == {language}
    return host


def test_dutch_words_alone_are_heard_as_dutch() -> None:
    """Thirteen words without a sentence around them, most in telephone quality: hard, but Dutch in a Dutch room only.

    Measured in letters, because Whisper writes „orbel” for „oorbel” when nothing tells it what is meant.
    """
    wrong, known = {}, {}
    for language in ("nl", "en"):
        found = text_of(dutch_talk(language, sounds.dutch_words()))
        wrong[language] = sounds.word_error_rate("".join(sounds.DUTCH_WORDS), "".join(found))
        known[language] = set(sounds.DUTCH_WORDS) & set(found)
        print(f"{language} room: {wrong[language]:.0%} of letters wrong, {found}")  # noqa: T201
    assert wrong["nl"] < 0.5
    assert wrong["en"] > wrong["nl"] + 0.12
    assert len(known["nl"]) >= 3 > len(known["en"])


def test_silence_and_noise_give_no_words() -> None:
    """Whisper alone thanks for watching; nothing of that may get through."""
    hanna = person("hanna")
    recording = recordings.ended_recording(hanna)
    noise = np.random.default_rng(3).normal(0, 0.02, 16_000 * 45).astype(np.float32)
    recordings.lay_track(recording, recordings.sat_until_the_end(recording, hanna, 0), noise)
    transcribe(recording)
    assert not Cue.objects.exists()


def test_a_window_that_takes_too_long_is_stopped() -> None:
    found = engine()
    assert isinstance(found, WhisperEngine)
    found.window_seconds, before = 0, found.window_seconds
    try:
        with pytest.raises(TookTooLong):
            found.transcribe(sounds.clip("0870"), "en", lambda: None)
    finally:
        found.window_seconds = before
    assert found.transcribe(sounds.clip("0880"), "en", lambda: None)


def test_what_the_heartbeat_raises_ends_the_work() -> None:
    def lost() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        engine().transcribe(sounds.clip("0870"), "en", lost)


def test_weights_that_are_missing_or_not_openai_s_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"base\.pt is missing: run"):
        WhisperEngine("base", tmp_path, 60)
    (tmp_path / "base.pt").write_bytes(b"something else")
    with pytest.raises(EngineUnavailable, match="not OpenAI's base"):
        WhisperEngine("base", tmp_path, 60)
    with pytest.raises(EngineUnavailable, match="no Whisper model"):
        WhisperEngine("huge", tmp_path, 60)


def test_an_english_model_refuses_a_dutch_room(settings: object) -> None:
    settings.WHISPER_MODEL = "tiny.en"  # type: ignore[attr-defined]
    with pytest.raises(UnknownLanguage, match="English only"):
        engine().transcribe(sounds.clip("0880"), "nl", lambda: None)
