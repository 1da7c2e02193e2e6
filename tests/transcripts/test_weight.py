"""Only what transcribes recordings carries torch and Whisper: 300 MB, and seconds, that others do without."""

import subprocess
import sys

from django.conf import settings

from transcripts.captions.weights import converted

LOOK = """
import django, sys
django.setup()
{}
print(sorted({{"torch", "whisper", "numba", "silero_vad"}} & set(sys.modules)))
"""


def loaded(code: str) -> str:
    command = [sys.executable, "-c", LOOK.format(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_web_beat_and_short_tasks_do_not_load_whisper() -> None:
    assert loaded("import config.urls, transcripts.tasks, transcripts.jobs.run") == "[]"


def test_live_captions_hear_without_torch() -> None:
    """A process that was killed would load it for seconds, in which nobody reads a word."""
    with converted("base", settings.WHISPER_MODEL_DIR):  # which takes torch, once
        pass
    hear = "numpy.random.default_rng(1).normal(0, 0.1, 16_000).astype('float32')"
    code = f"import numpy, transcripts.captions.process as p; sound = {hear}"
    code += "; p.live_engine().hear(sound, 'nl', (), ask_language=True); p.RoomCaptions; "
    code += "from transcripts.speech.vad import Detector; Detector().feed(sound[:5120])"
    assert loaded(code) == "[]"
