"""Sound out of real files, and the voice-activity model on it."""

from pathlib import Path

import numpy as np
import pytest

from tests.support import sounds
from transcripts.speech import audio, vad
from transcripts.speech.audio import RATE, SoundUnreadable
from transcripts.speech.windows import Span, spans


def shift_ms(found: audio.Sound, wanted: audio.Sound) -> float:
    """How many milliseconds `found` lies behind `wanted`, by where they agree most."""
    size = len(found) + len(wanted)
    spectrum = np.fft.rfft(found, size) * np.conj(np.fft.rfft(wanted, size))
    at = int(np.fft.irfft(spectrum, size).argmax())
    return (at if at < size // 2 else at - size) * 1000 / RATE


def test_the_middle_of_a_track_is_where_it_was_put(tmp_path: Path) -> None:
    """Seeking in Opus must not shift words: not by a frame, twenty minutes in."""
    places = [(3_000, "0880"), (630_000, "0920"), (1_190_000, "0930")]
    sounds.save_opus(sounds.laid(places, 1_200_000), tmp_path / "a.opus", effort=0)
    for at_ms, name in places:
        found = audio.read_window(tmp_path / "a.opus", [Span(at_ms - 500, at_ms + 3_500)])
        assert len(found) == 4 * RATE
        wanted = np.concatenate([np.zeros(RATE // 2, np.float32), sounds.clip(name)])[: 4 * RATE]
        assert abs(shift_ms(found, wanted)) <= 2


def test_a_window_behind_the_end_is_filled_up_with_silence(tmp_path: Path) -> None:
    sounds.save_opus(sounds.clip("0880"), tmp_path / "a.opus")
    found = audio.read_window(tmp_path / "a.opus", [Span(0, 1_000), Span(2_500, 60_000)])
    assert len(found) == 58_500 * RATE // 1000
    assert not found[-RATE:].any()


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SoundUnreadable, match="missing"):
        list(audio.blocks(tmp_path / "none.opus"))
    (tmp_path / "bad.opus").write_bytes(b"no sound at all" * 100)
    with pytest.raises(SoundUnreadable, match="Invalid data"):
        list(audio.blocks(tmp_path / "bad.opus"))


def test_block_by_block_is_the_package_s_own_frame_by_frame() -> None:
    """Our fast way through the model against silero-vad's own, on speech with silence in it."""
    import torch
    from silero_vad import load_silero_vad

    sound = sounds.laid([(500, "0870"), (9_000, "0890")], 15_000) + np.float32(2e-4)
    fast = list(vad.probabilities(sound[at : at + 5_000] for at in range(0, len(sound), 5_000)))
    model = load_silero_vad()
    whole = sound[: len(sound) // vad.FRAME * vad.FRAME]
    with torch.inference_mode():
        slow = [model(torch.from_numpy(frame), RATE).item() for frame in whole.reshape(-1, vad.FRAME)]
    assert np.allclose(fast[: len(slow)], slow, atol=1e-3)


def test_speech_is_found_where_it_was_laid_and_nowhere_else() -> None:
    places, end_ms = sounds.in_turn(sounds.CLIPS, 2_000, 3_000)
    found = list(spans(vad.probabilities([sounds.laid(places, end_ms + 20_000)])))
    assert len(found) >= len(places)
    for at_ms, name in places:
        inside = [s for s in found if s.end_ms > at_ms and s.start_ms < at_ms + sounds.length_ms(name)]
        assert abs(inside[0].start_ms - at_ms) < 400
        assert sum(s.length_ms for s in inside) > 0.8 * sounds.length_ms(name)
    ends = [at + sounds.length_ms(name) for at, name in places]
    assert all(any(s.start_ms < end for end in ends) for s in found)


def test_noise_is_no_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 20 * RATE).astype(np.float32)
    hum = (0.2 * np.sin(np.arange(20 * RATE) * 2 * np.pi * 50 / RATE)).astype(np.float32)
    for sound in (noise, hum):
        assert list(spans(vad.probabilities([sound]))) == []
