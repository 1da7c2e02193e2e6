"""Whether all that is installed because of requirements.txt has its version pinned, there or in constraints.txt."""

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
    waiting, seen, failed = sorted(read(ROOT / "requirements.txt")), set[str](), 0
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
    return int(failed > 0)


def read(file: Path) -> dict[str, str]:
    """The pins of one file: name and version."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", file.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


if __name__ == "__main__":
    sys.exit(main())
