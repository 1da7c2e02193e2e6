"""Check that every text of the project has a translation that is not fuzzy.

The texts are collected anew, in a copy, so that a text that was never collected is missed too.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHOWN = 20  # missing texts to list by name


def main() -> int:
    """Print missing translations; returns 1 when there is one."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="stamtafel-translations-") as place:
        copy = Path(place)
        copy_tree(copy)
        for folder in sorted((ROOT / "locale").glob("*/LC_MESSAGES")):
            for catalogue in sorted(folder.glob("*.po")):
                failed += examine(copy, catalogue)
    return int(failed > 0)


def copy_tree(copy: Path) -> None:
    """Copy the files of the project, without what is installed or generated."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if name.endswith((".py", ".html", ".txt", ".js", ".po")) and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)


def examine(copy: Path, catalogue: Path) -> int:
    """Collect the texts into the copy's catalogue; return the number without a translation."""
    language, domain = catalogue.parent.parent.name, catalogue.stem
    words = ["makemessages", "--locale", language, "--domain", domain, "--no-obsolete", "--ignore", "tests"]
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, cwd=copy, check=True, stdout=subprocess.DEVNULL)
    fresh = copy / catalogue.relative_to(ROOT)
    missing = texts(fresh, "--untranslated") + texts(fresh, "--only-fuzzy")
    for text in missing[:SHOWN]:
        print(f"{catalogue.relative_to(ROOT)}: {text}")
    if len(missing) > SHOWN:
        print(f"{catalogue.relative_to(ROOT)}: and {len(missing) - SHOWN} more")
    return len(missing)


def texts(catalogue: Path, which: str) -> list[str]:
    """Return the texts of a catalogue that msgattrib selects with the option `which`."""
    command = ["msgattrib", which, "--no-obsolete", "--no-wrap", str(catalogue)]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [text for text in re.findall(r'^msgid "(.*)"$', found, re.MULTILINE) if text]


if __name__ == "__main__":
    sys.exit(main())
