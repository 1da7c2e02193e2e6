"""Compile every template of the project, so that a misspelt tag or an unclosed block is found."""

import os
import sys
from pathlib import Path

import django
from django.template import TemplateSyntaxError, engines


def main() -> int:
    """Print every template that does not compile; returns 1 when there is one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    root = Path(__file__).resolve().parents[1]
    engine = engines["django"]
    failed = 0
    for folder in (root / "templates", *root.glob("*/templates")):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            try:
                engine.get_template(str(path.relative_to(folder)))
            except (TemplateSyntaxError, UnicodeDecodeError) as error:
                print(f"{path.relative_to(root)}: {error}")
                failed += 1
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
