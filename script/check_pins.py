"""Whether all that is installed because of requirements.txt has its version pinned, there or in constraints.txt, and
whether requirements.lock has the checksums of just these versions."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """1 when a version is missing or is not the one that is installed."""
    pins = {**read(ROOT / "constraints.txt"), **read(ROOT / "requirements.txt")}
    waiting, seen, failed = sorted(wanted(ROOT / "requirements.txt")), set[str](), 0
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            print(f"{name} is not installed: run script/bootstrap")
            failed += 1
            continue
        if found.version.partition("+")[0] != pins.get(name):
            print(f"write {name}=={found.version} into requirements.txt, which has {pins.get(name)}")
            failed += 1
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(needed.name))
    failed += unlocked()
    return int(failed > 0)


def unlocked() -> int:
    """Pins of requirements.txt that requirements.lock has not, or has otherwise, and lines of it without a checksum."""
    pins, locked = read(ROOT / "requirements.txt"), read(ROOT / "requirements.lock")
    pins.pop("torch")
    wrong = sorted(name for name in {*pins, *locked} if pins.get(name) != locked.get(name))
    entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)[1:]
    wrong += [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    for name in wrong:
        print(f"{name} is not in requirements.lock as requirements.txt has it: run script/lock")
    return len(wrong)


def wanted(file: Path) -> set[str]:
    """What a file asks for on this machine and Python."""
    lines = [Requirement(line) for line in file.read_text().splitlines() if line and line[0] not in "#-"]
    return {canonicalize_name(line.name) for line in lines if line.marker is None or line.marker.evaluate()}


def read(file: Path) -> dict[str, str]:
    """The pins of one file: name and version."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", file.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


if __name__ == "__main__":
    sys.exit(main())
