"""Only speech workers carry torch and Whisper: 300 MB that web, beat and the short tasks do without."""

import subprocess
import sys

LOOK = """
import django, sys
django.setup()
import config.urls, transcripts.tasks
print(sorted({"torch", "whisper", "numba", "silero_vad"} & set(sys.modules)))
"""


def test_web_beat_and_short_tasks_do_not_load_whisper() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
