"""Compile every template of the project, so that a misspelt tag or an unclosed block is found.

No line is longer than a reader takes in: break it inside a tag, between attributes, or within `blocktranslate trimmed`,
where white space does not count. Keys of rows are written with `|stringformat:'d'`: numbers for readers are grouped,
and 1,000 is no key.
"""

import os
import re
import sys
from pathlib import Path

import django
from django.template import TemplateSyntaxError, engines

LONGEST_LINE = 160  # letters
GROUPED_KEY = re.compile(r"{{ (\w+\.)*(pk|id) }}")


def main() -> int:
    """Print every template that does not compile or has a line that is too long; returns 1 when there is one."""
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
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if len(line) > LONGEST_LINE:
                    print(f"{path.relative_to(root)}:{number}: {len(line)} letters, at most {LONGEST_LINE}")
                    failed += 1
                if GROUPED_KEY.search(line):
                    print(f"{path.relative_to(root)}:{number}: a key is written as a number for readers")
                    failed += 1
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
