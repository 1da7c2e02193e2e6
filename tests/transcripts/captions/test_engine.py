"""The live engine with its real weights: what it hears of growing sound, of silence and of another language."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.conf import settings

from tests.support import sounds
from tests.support.captions import live_words
from transcripts.captions import engine as engines
from transcripts.captions import weights, whisper_parts
from transcripts.captions.engine import FastEngine, LiveEngine, SlowEngine
from transcripts.speech.audio import RATE
from transcripts.speech.engine import UnknownLanguage
from transcripts.speech.stitch import Word

if TYPE_CHECKING:
    from transcripts.speech.whisper_engine import WhisperEngine


@functools.cache
def engine() -> FastEngine:
    return FastEngine("base", settings.WHISPER_MODEL_DIR, 1)


@functools.cache
def whisper_itself() -> WhisperEngine:
    import torch

    from transcripts.speech.whisper_engine import WhisperEngine

    torch.set_num_threads(1)
    return WhisperEngine("base", settings.WHISPER_MODEL_DIR, 180)


def test_it_is_whispers_own_network_and_places_words_in_time() -> None:
    sound = sounds.clip("0870")
    (live,) = engine().transcribe(sound, "en", lambda: None)
    (kept,) = whisper_itself().transcribe(sound, "en", lambda: None)
    text = ["".join(word.text for word in segment.words) for segment in (live, kept)]
    assert sounds.plain_words(text[0]) == sounds.plain_words(text[1]) == sounds.plain_words(sounds.WORDS["0870"])
    off = [abs(a.end_ms - b.end_ms) for a, b in zip(live.words, kept.words, strict=True)]
    assert float(np.median(off)) <= 60 and live.no_speech < 0.1 and live.logprob > -0.5


@pytest.mark.parametrize("seconds", [0.2, 3.7, 20.0])
def test_what_the_network_is_given_is_whispers_own(seconds: float) -> None:
    """The spectrogram, and the tokens of a text, without loading the package."""
    import whisper

    sound = np.tile(sounds.clip("0870"), 3)[: round(seconds * RATE)]
    padded = np.pad(sound, (0, 20 * RATE - len(sound)))
    own = whisper.log_mel_spectrogram(padded, n_mels=80).numpy()
    assert np.allclose(whisper_parts.log_mel(sound, 20.0, 80), own, atol=2e-4)
    text = " Zij gingen, zei men, naar ’s-Gravenhage."
    theirs = whisper.tokenizer.get_tokenizer(True, num_languages=99, language="nl", task="transcribe")
    ours = whisper_parts.tokenizer_of(True, 99, "nl")
    assert ours.encode(text) == theirs.encode(text) and ours.sot_sequence == theirs.sot_sequence


def test_what_follows_certain_words_is_heard_and_they_are_not_heard_again() -> None:
    sound = sounds.clip("0870")
    whole = engine().hear(sound, "en", ()).words
    after = engine().hear(sound, "en", whole[:8]).words
    assert [word.text for word in after] == [word.text for word in whole[8:]]


def test_certain_words_are_not_repeated_where_nothing_follows_them() -> None:
    """Applause, a breath or somebody far away after the last word: Whisper says what it was given once more, all of it
    at one moment. Found in a room with a leaking microphone, whose line then had the same sentence three times."""
    far = sounds.laid([(300, "0870"), (7_900, "0880"), (11_200, "0890"), (17_000, "0920")], 24_000)
    sound = (0.7 * sounds.laid([(1_800, "jfk")], 24_000) + 0.02 * far)[round(6.985 * RATE) : round(13.225 * RATE)]
    text = " What your country can do for you? Ask what you can do for your country."
    words = [f" {word}" for word in text.split()]
    said = [Word(word, place * 345, place * 345 + 345, 1.0) for place, word in enumerate(words)]
    after = engine().hear(sound, "en", said).words
    assert "country" not in sounds.plain_words("".join(word.text for word in after)), after


@pytest.mark.parametrize("slow", [False, True])
def test_growing_sound_becomes_the_words_that_were_said(slow: bool) -> None:
    by: LiveEngine = SlowEngine(whisper_itself()) if slow else engine()
    names = ("0880",) if slow else ("0870", "0890")
    places, end_ms = sounds.in_turn(names, start_ms=600, pause_ms=900)
    said = [word for name in names for word in sounds.plain_words(sounds.WORDS[name])]
    heard = live_words(by, sounds.laid(places, end_ms), "en")
    assert sounds.word_error_rate(said, heard) <= 0.1, heard


def test_silence_noise_music_and_applause_are_no_words() -> None:
    rng, seconds = np.random.default_rng(5), 5
    time = np.arange(RATE * seconds) / RATE
    noise = rng.normal(0, 0.05, len(time))
    chord = sum(0.08 * np.sin(2 * np.pi * pitch * time) * (1 + 0.3 * np.sin(9 * time)) for pitch in (262, 330, 392))
    hum = 0.2 * np.sin(2 * np.pi * 50 * time) + 0.05 * np.sin(2 * np.pi * 150 * time)
    breath = np.convolve(rng.normal(0, 1, len(time)), np.ones(8) / 8, "same") * (0.03 * np.abs(np.sin(2 * time)))
    clicks = np.where(rng.random(len(time)) < 1e-4, 0.9, 0.0)
    many = (sounds.music(seconds), sounds.applause(seconds))
    for sound in (np.zeros_like(time), noise, chord, hum, breath, clicks, *many):
        assert live_words(engine(), np.asarray(sound, np.float32), "en") == []


def test_another_language_is_noticed() -> None:
    dutch = engine().hear(sounds.with_pauses(list(sounds.DUTCH_SENTENCES)[:2]), "en", (), ask_language=True)
    english = engine().hear(sounds.clip("0870"), "en", (), ask_language=True)
    assert (dutch.language, english.language) == ("nl", "en") and english.sure > 0.9


def test_a_model_of_english_refuses_dutch() -> None:
    with pytest.raises(UnknownLanguage):
        FastEngine("tiny.en", settings.WHISPER_MODEL_DIR, 1).hear(sounds.clip("0880"), "nl", ())


class Picky:
    """CTranslate2 on a machine whose graphics card, or whole processor, lacks a kind of numbers."""

    def __init__(self, *devices: str) -> None:
        self.models = SimpleNamespace(Whisper=self.load)
        self.devices = devices

    @staticmethod
    def get_cuda_device_count() -> int:
        return 1

    def load(self, path: str, device: str, **_options: Any) -> str:
        if device not in self.devices:
            raise ValueError("Requested int8_float16 compute type, but the target device does not support it")
        return device


def test_numbers_that_a_machine_lacks_are_no_end_of_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    """First without the graphics card, then by Whisper itself."""
    from transcripts.speech import whisper_engine

    assert FastEngine._load(Picky("cuda", "cpu"), "", 1) == "cuda"
    assert FastEngine._load(Picky("cpu"), "", 1) == "cpu"
    with pytest.raises(ValueError, match="compute type"):
        FastEngine._load(Picky(), "", 1)

    def lacking(*_args: Any) -> None:
        raise ValueError("compute type")

    monkeypatch.setattr(engines, "FastEngine", lacking)
    threads: list[int] = []

    def slow_engine(model: str, _folder: Path, number: int, _seconds: float) -> SimpleNamespace:
        threads.append(number)
        return SimpleNamespace(model=model, version="1")

    monkeypatch.setattr(whisper_engine, "whisper_engine", slow_engine)
    slow = engines.live_engine()
    assert isinstance(slow, SlowEngine) and slow.at_once == 1 and threads == [settings.CAPTIONS_THREADS]


def test_words_that_cannot_be_placed_are_none() -> None:
    """Of sound that is hardly any the network attends to nothing."""
    hearing = FastEngine.__new__(FastEngine)
    nothing = SimpleNamespace(alignments=[], text_token_probs=[0.5])
    hearing._model = SimpleNamespace(align=lambda *_args: [nothing])
    by = whisper_parts.tokenizer_of(True, 99, "en")
    assert hearing._words(by, None, [], by.encode(" well"), 160) == ()


def test_weights_that_cannot_be_kept_go_once_they_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what a process left behind that was killed while it made them."""
    from transcripts.captions import conversion

    folder, elsewhere = tmp_path / "weights", tmp_path / "elsewhere"
    for place in (folder, elsewhere):
        place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    monkeypatch.setattr(conversion, "check_weights", lambda *_args: None)
    monkeypatch.setattr(conversion, "convert", lambda _from, target: (target / "model.bin").write_text("made"))
    left = [folder / ".live-old", folder / ".live-new", elsewhere / "stamtafel-live-old"]
    for each in left:
        each.mkdir()
        if each.name.endswith("old"):
            os.utime(each, (0, 0))
    with weights.converted("base", folder) as path:
        assert path.parent == folder and (path / "model.bin").exists()
    assert [each.exists() for each in left] == [False, True, False] and path.exists()
    with weights.converted("base", tmp_path / "nowhere") as path:
        assert path.parent == elsewhere and (path / "model.bin").exists()
    assert list(elsewhere.iterdir()) == []
