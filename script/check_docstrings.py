"""Refuse docstrings whose first line is no imperative and no noun phrase: sentences that begin with "Who" or "What"."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFUSED = re.compile(r"(Who|What|Whose|Whom|Whoever|Whatever|Whether or not)\b|.*\bthe house\b", re.IGNORECASE)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def bad_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the first line of each docstring in `source` that is refused."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            first = text.splitlines()[0]
            if REFUSED.match(first):
                yield getattr(node, "lineno", 1), first


def main() -> int:
    """Print every refused docstring; the exit status tells whether there are any."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [name for name in listed.split() if "/migrations/" not in name and (ROOT / name).is_file()]
    refused = [f"{name}:{line}: {text}" for name in files for line, text in bad_docstrings((ROOT / name).read_text())]
    print("\n".join(refused))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
