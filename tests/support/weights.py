"""Where the tests' Whisper weights are."""

import os
from pathlib import Path


def whisper_folder() -> Path:
    """WHISPER_MODEL_DIR, or the folder that all checkouts of one person share."""
    given = os.environ.get("WHISPER_MODEL_DIR", "").strip()
    return Path(given) if given else Path.home() / ".cache" / "stamtafel" / "whisper"
