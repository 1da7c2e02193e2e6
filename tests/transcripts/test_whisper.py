"""Real Whisper (`base`) on real speech: is it right, by the right person, at the right time, in the right language?"""

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from people.models import User
from rooms.models import Recording
from tests.support import recordings, sounds
from tests.support.people import person
from transcripts import actions
from transcripts.jobs.run import run_items
from transcripts.models import Cue, Transcript, TranscriptionWindow
from transcripts.speech.audio import Sound
from transcripts.speech.engine import EngineUnavailable, TookTooLong, UnknownLanguage, engine

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


def cues_of(user: User) -> list[Cue]:
    return list(Cue.objects.filter(seat__user=user).order_by("start_ms"))


def words_in(cues: Iterable[Cue]) -> list[dict[str, object]]:
    return [word for cue in cues for word in cue.words]


def text_in(cues: Iterable[Cue]) -> list[str]:
    return sounds.plain_words(" ".join(str(word["w"]) for word in words_in(cues)))


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


VOICES = {"austen": sounds.CLIPS, **{f"voice-{name}": (name,) for name in sounds.OTHERS}}
TALK_MS, AGAIN_MS = 7_000, 1_500_000  # room time at which the tracks begin
FIRST, _end = sounds.in_turn(("0870", "0880", "0890"), 3_000, 900)
BEHIND, BEHIND_END = sounds.in_turn(("0920", "0930"), 180_000, 900)
AGAIN, AGAIN_END = sounds.in_turn(("0890", "0880"), 2_500, 900)


def lay(recording: Recording, handle: str, place: int, tracks: dict[int, Sound]) -> None:
    """Somebody who sat until the end, with tracks that begin at these milliseconds of room time."""
    sat = recordings.sat_until_the_end(recording, User.objects.filter(handle=handle).first() or person(handle), place)
    for start_ms, sound in tracks.items():
        recordings.lay_track(recording, sat, sound, start_ms)


@pytest.fixture(scope="module")
def talk(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> list[Cue]:
    """All cues of a room in which four voices begin to talk at once, each on a track of its own.

    They say all English clips there are. One of them is silent for minutes in the middle, and has a second track,
    minutes after the end of the first. Transcribed once for all tests.
    """
    with django_db_blocker.unblock(), override_settings(WHISPER_MODEL="base"), transaction.atomic():
        recording = recordings.ended_recording(person("austen"))
        first, again = sounds.laid([*FIRST, *BEHIND], BEHIND_END), sounds.laid(AGAIN, AGAIN_END)
        lay(recording, "austen", 0, {TALK_MS: first, AGAIN_MS: again})
        for place, name in enumerate(sounds.OTHERS, 1):
            said = sounds.laid([(FIRST[0][0], name)], FIRST[0][0] + sounds.length_ms(name) + 1_400)
            lay(recording, f"voice-{name}", place, {TALK_MS: said})
        transcribe(recording)
        cues = list(Cue.objects.select_related("seat__user").order_by("start_ms"))
        transaction.set_rollback(True)
    return cues


def test_what_finds_word_times_is_compiled_once_for_all_processes(talk: list[Cue]) -> None:
    """It takes a second or more, and every worker would compile it anew."""
    import whisper

    stats = whisper.timing.dtw_cpu.stats
    assert sum(stats.cache_hits.values()) + sum(stats.cache_misses.values()) == 1
    assert list(Path(stats.cache_path).glob("timing.dtw_cpu*.nbc"))


def test_where_what_was_compiled_cannot_be_read_it_is_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut may leave an empty file, or somebody else one that is theirs alone: numba falls over both."""
    import whisper

    from transcripts.speech import whisper_engine

    timing = whisper.timing
    tried: list[object] = []

    def broken_at_first(given: object, find: Any = timing.dtw) -> object:
        tried.append(given)
        if len(tried) == 1:
            raise EOFError("Ran out of input")
        return find(given)

    for function in (timing.backtrace, timing.dtw_cpu):
        monkeypatch.setattr(function, "_cache", function._cache)  # is another one afterwards
    monkeypatch.setattr(timing, "dtw", broken_at_first)
    whisper_engine._compile_word_times()
    assert len(tried) == 2 and not timing.dtw_cpu._cache._enabled


def by(handle: str, cues: list[Cue]) -> list[Cue]:
    return [cue for cue in cues if cue.seat.user.handle == handle]


def test_every_clean_clip_is_understood_though_four_talk_at_once(talk: list[Cue]) -> None:
    said = {handle: " ".join(sounds.WORDS[name] for name in names) for handle, names in VOICES.items()}
    places = {handle: [(FIRST[0][0], names[0])] for handle, names in VOICES.items()} | {"austen": [*FIRST, *BEHIND]}
    rates = {
        name: clip_error_rate(by(handle, talk), TALK_MS + at_ms, name)
        for handle in VOICES
        for at_ms, name in places[handle]
    }
    print("word error rate:", {name: f"{rate:.1%}" for name, rate in rates.items()})  # noqa: T201
    assert len(rates) == 8 and max(rates.values()) < 0.20
    assert not [cue.text for cue in talk if not sounds.is_by(cue.seat.user.handle, cue.text, said)]
    assert len(talk) >= 8
    print("confidence:", sorted(cue.confidence or 0.0 for cue in talk))  # noqa: T201
    assert not [cue.text for cue in talk if cue.is_doubtful], "no good line is marked"
    first = {handle: by(handle, talk)[0] for handle in VOICES}
    assert max(cue.start_ms for cue in first.values()) < min(cue.end_ms for cue in first.values()), "at once"


def clip_error_rate(cues: list[Cue], at_ms: int, name: str) -> float:
    """The error rate in what somebody said while this clip was played, from `at_ms` of room time on."""
    ends = at_ms + sounds.length_ms(name)
    heard = " ".join(str(word["w"]) for word in words_in(cues) if at_ms - 400 < int(str(word["s"])) < ends)
    return sounds.word_error_rate(sounds.WORDS[name].split(), sounds.plain_words(heard))


def test_word_times_are_where_the_clips_were_laid_also_after_a_gap(talk: list[Cue]) -> None:
    """Two tracks of one speaker with minutes between them, and minutes of silence inside the first."""
    found = words_in(by("austen", talk))
    names = ("0870", "0880", "0890", "0920", "0930", "0890", "0880")
    rate = sounds.word_error_rate(reference(names), text_in(by("austen", talk)))
    parts = {
        "first": (errors_ms([w for w in found if int(str(w["s"])) < 100_000], FIRST, TALK_MS), 40),
        "after silence": (errors_ms([w for w in found if 100_000 < int(str(w["s"])) < 1e6], BEHIND, TALK_MS), 18),
        "after a gap": (errors_ms([w for w in found if int(str(w["s"])) > 1e6], AGAIN, AGAIN_MS), 18),
    }
    for name, (errors, least) in parts.items():
        print(f"{name}: median error {median(errors):.0f} ms, worst {max(errors)} ms, {len(errors)} words")  # noqa: T201
        assert len(errors) >= least
        assert median(errors) < 200
    print(f"word error rate: {rate:.1%}")  # noqa: T201
    assert rate < 0.20


def test_dutch_sentences_are_heard_as_dutch_in_a_dutch_room() -> None:
    """A hurried voice out of a game, in telephone quality: most words are right, and Dutch in a Dutch room only."""
    wanted = sounds.plain_words(" ".join(sounds.DUTCH_SENTENCES.values()))
    wrong, marked = {}, {}
    for language in ("nl", "en"):
        host = dutch_talk(language, sounds.dutch_sentences())
        marked[language] = [cue.is_doubtful for cue in cues_of(host)]
        heard = text_in(cues_of(host))
        wrong[language] = sounds.word_error_rate(wanted, heard)
        print(f"{language} room: {wrong[language]:.0%} of words wrong, {' '.join(heard)}")  # noqa: T201
    assert wrong["nl"] < 0.5
    assert wrong["en"] > 0.9, "as good as no word is Dutch there"
    assert sum(marked["en"]) >= 0.8 * len(marked["en"]), "and the page says that they are doubtful"
    assert sum(marked["nl"]) <= 0.2 * len(marked["nl"])


def dutch_talk(language: str, sound: Sound) -> User:
    """The host of a room of this language, who said this; every line of it is in that language."""
    host = person(f"host-{language}")
    recording = recordings.ended_recording(host, language)
    lay(recording, host.handle, 0, {0: sound})
    transcribe(recording)
    assert set(Cue.objects.filter(seat__user=host).values_list("language", flat=True)) == {language}
    return host


def test_dutch_words_alone_are_heard_as_dutch() -> None:
    """Thirteen words without a sentence around them, most in telephone quality: hard, but Dutch in a Dutch room only.

    Measured in letters, because Whisper writes „orbel” for „oorbel” when nothing tells it what is meant.
    """
    wrong, known = {}, {}
    for language in ("nl", "en"):
        found = text_in(cues_of(dutch_talk(language, sounds.dutch_words())))
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
    lay(recording, "hanna", 0, {0: noise})
    transcribe(recording)
    assert not Cue.objects.exists()


def test_weights_that_are_missing_or_not_openai_s_are_refused(tmp_path: Path) -> None:
    from transcripts.speech.whisper_engine import WhisperEngine

    with pytest.raises(EngineUnavailable, match=r"base\.pt is missing: run"):
        WhisperEngine("base", tmp_path, 60)
    (tmp_path / "base.pt").write_bytes(b"something else")
    with pytest.raises(EngineUnavailable, match="not OpenAI's base"):
        WhisperEngine("base", tmp_path, 60)
    with pytest.raises(EngineUnavailable, match="no Whisper model"):
        WhisperEngine("huge", tmp_path, 60)


# --- what is so with any model: the smallest takes half the time. Last, because one model is loaded at a time. --------


@pytest.fixture
def small(base: None, settings: object) -> None:
    settings.WHISPER_MODEL = "tiny.en"  # type: ignore[attr-defined]


def test_speech_without_a_pause_is_cut_without_doubling_or_losing_words(small: None) -> None:
    hanna = person("hanna")
    recording = recordings.ended_recording(hanna)
    names = (*sounds.CLIPS, *sounds.CLIPS[:2])
    sound = np.concatenate([sounds.clip(name)[3_000:-3_000] for name in names])  # without the silence at their ends
    lay(recording, "hanna", 0, {0: sound})
    transcribe(recording)
    (first,), (second,) = TranscriptionWindow.objects.order_by("position").values_list("spans", flat=True)
    assert first[1] == second[0], "one cut, in the middle of speech"
    rate = sounds.word_error_rate(reference(names), text_in(cues_of(hanna)))
    print(f"word error rate: {rate:.1%}")  # noqa: T201
    assert rate < 0.20


def test_a_window_that_takes_too_long_is_stopped(small: None) -> None:
    from transcripts.speech.whisper_engine import WhisperEngine

    found = engine()
    assert isinstance(found, WhisperEngine)
    found.window_seconds, before = 0, found.window_seconds
    try:
        with pytest.raises(TookTooLong):
            found.transcribe(sounds.clip("0870"), "en", lambda: None)
    finally:
        found.window_seconds = before
    assert found.transcribe(sounds.clip("0880"), "en", lambda: None)


def test_what_the_heartbeat_raises_ends_the_work(small: None) -> None:
    def lost() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        engine().transcribe(sounds.clip("0870"), "en", lost)


def test_an_english_model_refuses_a_dutch_room(small: None) -> None:
    with pytest.raises(UnknownLanguage, match="English only"):
        engine().transcribe(sounds.clip("0880"), "nl", lambda: None)
