"""Word error rate of transcripts of clean speech, clip by clip.

    python bench/word_errors.py [FOLDER] [--model base] [--language en]

FOLDER has sound files and a refs.tsv: file, tab, the words in it. Without one: the clips that the tests use. Each clip
goes through the steps of a worker (decoding, voice activity, windows, Whisper, stitching), with no queue and no
database. Errors are substitutions, insertions and deletions for each word that was said; "I'm" is as right as "I am".

Needs Whisper's weights; without FOLDER also Debian's pocketsphinx-testdata.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.transcription import load, ours
from tests.support import speech
from tests.support.sounds import plain_words, word_error_rate


def clips(folder: Path | None) -> dict[Path, str]:
    if folder is not None:
        return speech.references(folder)
    return speech.clips() | speech.references(speech.OWN / "english")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--language", default="en")
    given = parser.parse_args()
    engine = load(given.model)
    wrong, all_words, started = 0.0, 0, time.perf_counter()
    for path, said in clips(given.folder).items():
        wanted = plain_words(said)
        heard = " ".join(line.text for line in ours(engine, path, given.language))
        rate = word_error_rate(wanted, plain_words(heard))
        wrong, all_words = wrong + rate * len(wanted), all_words + len(wanted)
        print(f"{rate:>7.1%} of {len(wanted):>3} words  {path.name:<48} {heard}", flush=True)
    print(f"{wrong / all_words:>7.1%} of {all_words:>3} words  in all, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
