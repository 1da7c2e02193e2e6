"""Weights for CTranslate2, made of Whisper's own: the very same network, with matrices of 8-bit numbers.

They are made once and lie beside the official file; where that folder cannot be written to, they are made at each
start, in a folder that is there until they are loaded.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

log = logging.getLogger(__name__)

LEFT_SECONDS = 3600  # after which weights that are not complete are nobody's
_BEGUN, _ELSEWHERE = ".live-", "stamtafel-live-"  # names of folders with weights that are being made


@contextmanager
def converted(name: str, folder: Path) -> Iterator[Path]:
    """Give the folder of a model's weights for CTranslate2, made where they are missing. Raises EngineUnavailable where
    the official weights are missing or wrong."""
    _remove_leftovers(folder)
    # Which file is the official one of a model goes with the version of whisper.
    target = folder / f"{name}-int8-{version('ctranslate2')}-{version('openai-whisper')}"
    if target.is_dir():
        yield target
        return
    from transcripts.captions import conversion  # imports torch

    conversion.check_weights(name, folder)
    try:
        made = Path(tempfile.mkdtemp(prefix=_BEGUN, dir=folder))
    except OSError as error:
        log.warning("%s cannot be written to, weights for captions are made at each start: %s", folder, error)
        target = made = Path(tempfile.mkdtemp(prefix=_ELSEWHERE))
    try:
        conversion.convert(conversion.weights_file(name, folder), made)
        if made != target:
            _move(made, target)
        yield target
    finally:
        shutil.rmtree(made, ignore_errors=True)  # where it was not moved


def _move(made: Path, target: Path) -> None:
    """Move whole weights to their place, unless another process was faster."""
    try:
        made.replace(target)
    except OSError:
        if not target.is_dir():
            raise


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes left behind that were killed while they made weights."""
    for left in (*folder.glob(f"{_BEGUN}*"), *Path(tempfile.gettempdir()).glob(f"{_ELSEWHERE}*")):
        try:
            if left.stat().st_mtime < time.time() - LEFT_SECONDS:
                shutil.rmtree(left)
        except OSError as error:
            log.info("%s is not removed: %s", left, error)
