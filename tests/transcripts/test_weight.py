"""Only what transcribes recordings carries torch and Whisper: 300 MB, and seconds, that others do without. Nor does a
process that is told to start load the libraries for sound: 27 MB, and a tenth of its start."""

import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from transcripts.captions.weights import converted

TESTS = Path(__file__).parents[1]
# At the margin: what a file needs before any test of it runs.
AT_ONCE = re.compile(r"^(?:import|from) .*\b(?:torch|whisper|silero_vad|whisper_engine|conversion)\b", re.M)
LOOK = """
import django, sys
django.setup()
{}
print(sorted({} & set(sys.modules)))
"""
OF_SPEECH = {"torch", "whisper", "numba", "silero_vad"}
OF_SOUND = {"numpy", "av"}


def loaded(code: str, libraries: set[str]) -> str:
    command = [sys.executable, "-c", LOOK.format(code, libraries)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_web_workers_and_supervisors_start_without_libraries_for_sound_and_speech() -> None:
    code = "import config.serving, config.urls, rooms.management.commands.media; "
    code += "from config.celery import app; app.loader.import_default_modules()"
    assert loaded(code, OF_SPEECH | OF_SOUND) == "[]"


def test_jobs_of_transcripts_are_read_without_torch() -> None:
    assert loaded("import transcripts.jobs.run", OF_SPEECH) == "[]"


def test_live_captions_hear_without_torch() -> None:
    """A process that was killed would load it for seconds, in which nobody reads a word."""
    with converted("base", settings.WHISPER_MODEL_DIR):  # which takes torch, once
        pass
    hear = "numpy.random.default_rng(1).normal(0, 0.1, 16_000).astype('float32')"
    code = f"import numpy, transcripts.captions.process as p; sound = {hear}"
    code += "; p.live_engine().hear(sound, 'nl', (), ask_language=True); p.RoomCaptions; "
    code += "from transcripts.speech.vad import Detector; Detector().feed(sound[:5120])"
    assert loaded(code, OF_SPEECH) == "[]"


def test_test_files_are_read_without_torch() -> None:
    """Each process that runs tests reads them all."""
    assert [file.name for file in TESTS.rglob("*.py") if AT_ONCE.search(file.read_text())] == []
