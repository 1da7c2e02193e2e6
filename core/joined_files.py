"""Collected static files, joined: one script for each module that a page names, one style sheet for each list of them.

Browsers would else ask for each of our hundred modules by itself. `collectstatic` runs esbuild over what templates name
(docs/adr/0010-joined-files.md); in development nothing is joined.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import CommandError
from django.template import Engine
from whitenoise.storage import CompressedManifestStaticFilesStorage

ESBUILD = Path(settings.BASE_DIR) / "node_modules" / ".bin" / "esbuild"
FOLDER = "joined"  # of what is made, below STATIC_ROOT
ENTRIES = "entries"  # of what esbuild begins with, while it runs
WITHIN = 60  # seconds; it takes less than one

# As templates write them, each on a line of its own or beside others.
MODULE = re.compile(r'{% module "([\w/]+)"')
SHEETS = re.compile(r"{% stylesheets %}(.*?){% endstylesheets %}", re.DOTALL)
SHEET = re.compile(r"{% static '([\w/.]+\.css)' %}")


class CannotJoin(CommandError):
    """The static files could not be joined; says why. Nothing of what was collected before has changed."""


class JoinedFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed files, with those of pages joined."""

    joined_name = "joined.json"

    def post_process(
        self, paths: dict[str, tuple[Any, str]], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str | None, Any]]:
        """Join what templates name, then hash and compress everything except the modules that are joined now."""
        if dry_run:
            return
        entries, lists = named_by_templates()
        root = Path(self.location).resolve()  # esbuild follows links
        modules = [name for name in paths if name.startswith("js/")]
        self._scripts = join_scripts(root, entries, modules)
        join_sheets(root, lists)
        others = {name: path for name, path in paths.items() if not name.startswith("js/")}
        others |= {name: (self, name) for name in lists}
        yield from super().post_process(others, dry_run, **options)
        for name in modules:
            self.delete(name)
        yield from ((name, compressed, True) for name, compressed in self.compress_files(set(self._files())))

    def _files(self) -> Iterator[str]:
        for names in self._scripts.values():
            yield from names

    def save_manifest(self) -> None:
        """Write which files a page's script is in, and the names of these files without their hash."""
        self.hashed_files |= {re.sub(r"\.\w+(?=\.js$)", "", name): name for name in self._files()}
        self.manifest_storage.delete(self.joined_name)
        self.manifest_storage.save(self.joined_name, ContentFile(json.dumps(self._scripts).encode()))
        super().save_manifest()

    @cached_property
    def joined(self) -> dict[str, list[str]]:
        """The files of each entry by its name, the entry's own first."""
        try:
            with self.manifest_storage.open(self.joined_name) as file:
                found: dict[str, list[str]] = json.load(file)
        except FileNotFoundError as error:
            raise ValueError("static files are not joined: run manage.py collectstatic") from error
        return found

    def script_urls(self, entry: str) -> list[str]:
        """Return the addresses of an entry and of what it imports, the entry first.

        Raises ValueError for one that was not joined: a page without its script would look as if it worked.
        """
        names = self.joined.get(entry)
        if names is None:
            raise ValueError(f"the script {entry} is not joined: run manage.py collectstatic")
        return [f"{self.base_url}{name}" for name in names]


def named_by_templates() -> tuple[list[str], dict[str, list[str]]]:
    """Return the modules that templates name, and their lists of style sheets by the name of the joined one."""
    files = [path for folder in Engine.get_default().dirs for path in sorted(Path(folder).rglob("*.html"))]
    texts = [path.read_text(encoding="utf-8") for path in files]
    entries = {entry for text in texts for entry in MODULE.findall(text)}
    lists = [SHEET.findall(inside) for text in texts for inside in SHEETS.findall(text)]
    return sorted(entries), {joined_sheet(names): names for names in lists}


def joined_sheet(names: Sequence[str]) -> str:
    """Return the name of the file that has these style sheets in this order."""
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
    return f"{FOLDER}/{Path(names[-1]).stem}-{digest}.css"


def join_scripts(root: Path, entries: Iterable[str], modules: Iterable[str]) -> dict[str, list[str]]:
    """Write a file for each of these entries, and a few for what several of them import; `modules` are all that there
    are, by name below `root`.

    Returns the names of the files by entry. Each entry begins with `page`, which every page has, and with all of
    js/shared: so these come to be in one file, which all pages have in common, and not in one for each set of pages.
    """
    shared = sorted(name for name in modules if name.startswith("js/shared/") and name.endswith(".js"))
    texts = {
        f"{entry}.js": "".join(
            f"import {json.dumps(str(root / name))};\n" for name in ("js/page.js", *shared, f"js/{entry}.js")
        )
        for entry in entries
    }
    paths = {"compilerOptions": {"paths": {"*": [f"{root}/js/*"]}}}
    options = [
        *("--splitting", "--format=esm", "--sourcemap", "--external:hls", f"--tsconfig-raw={json.dumps(paths)}"),
        *("--entry-names=[dir]/[name].[hash]", "--chunk-names=[hash].[hash]"),  # hashed as Django names files
    ]
    made = run_esbuild(root, texts, options)
    found = {}
    for path, file in made.items():
        if "entryPoint" in file:
            entry = Path(file["entryPoint"]).relative_to(ENTRIES).with_suffix("").as_posix()
            found[entry] = with_imports(path, made)
    return found


def with_imports(path: str, made: Mapping[str, Any]) -> list[str]:
    """Return the names of a file and of all that it imports at once. One that does nothing but import another one is
    left out."""
    names: dict[str, None] = {}
    waiting = [path]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names[name] = None
            imports = [one for one in made[name]["imports"] if one["path"] in made]  # and not the player
            waiting += reversed([one["path"] for one in imports if one["kind"] == "import-statement"])
    found = list(names)
    is_empty = not any(source["bytesInOutput"] for source in made[path]["inputs"].values())
    return found[1:] if is_empty and len(made[path]["imports"]) == 1 else found


def join_sheets(root: Path, lists: Mapping[str, Sequence[str]]) -> None:
    """Write these files below `root`, each of style sheets in their order. Pictures and fonts stay where they are, and
    Django writes their hashed addresses."""
    texts = {
        str(Path(name).relative_to(FOLDER)): "".join(f'@import "{root / sheet}";\n' for sheet in sheets)
        for name, sheets in lists.items()
    }
    run_esbuild(root, texts, [f"--external:{root}/*.{kind}" for kind in ("svg", "woff2", "png", "gif")])


def run_esbuild(root: Path, entries: Mapping[str, str], options: Iterable[str]) -> dict[str, Any]:
    """Bundle these entries, texts by name, into the folder of joined files; returns what esbuild says of each file that
    it wrote, by its name below `root`. Raises CannotJoin."""
    if not ESBUILD.exists():
        raise CannotJoin(f"esbuild is missing ({ESBUILD}), which joins the pages' files: run script/bootstrap")
    folder, outcome = root / ENTRIES, root / ENTRIES / "outcome.json"
    try:
        for name, text in entries.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        command = [
            *(str(ESBUILD), *(f"{ENTRIES}/{name}" for name in entries), "--bundle", "--minify", "--charset=utf8"),
            *(f"--outbase={ENTRIES}", f"--outdir={FOLDER}", f"--metafile={outcome}", "--log-level=warning", *options),
        ]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=WITHIN, check=False)
        if done.returncode != 0 or done.stderr:
            raise CannotJoin(f"esbuild could not join the pages' files:\n{done.stderr}")
        made: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))["outputs"]
        for name in made:  # another server may send them, as it does what Django writes
            (root / name).chmod(settings.FILE_UPLOAD_PERMISSIONS)
        return {name: file for name, file in made.items() if not name.endswith(".map")}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
