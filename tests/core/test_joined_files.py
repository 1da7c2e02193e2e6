"""Pages' files when they are collected: all that templates name is joined, and what cannot be joined says so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.template import Context, Engine, Node, Template
from django.template.library import SimpleNode
from django.test import override_settings

from core import joined_files
from core.joined_files import CannotJoin, joined_sheet, named_by_templates
from core.templatetags.core import StyleSheets, import_map, module
from tests.conftest import COLLECTED

FOLDERS = [Path(folder) for folder in Engine.get_default().dirs]
WORTH_COMPRESSING = 500  # bytes: a smaller file may not get smaller
JOINED = {**settings.STORAGES, "staticfiles": COLLECTED}


def templates() -> dict[str, Template]:
    """Every page and part of one, read by Django."""
    names = [path.relative_to(folder).as_posix() for folder in FOLDERS for path in folder.rglob("*.html")]
    return {name: Engine.get_default().get_template(name) for name in names}


def test_what_templates_name_is_found() -> None:
    """Collecting reads out of their text what Django finds in them."""
    nodes = [node for one in templates().values() for node in one.nodelist.get_nodes_by_type(Node)]
    modules = {node.args[0].var for node in nodes if isinstance(node, SimpleNode) and node.func is module}
    lists = {joined_sheet(node.names): node.names for node in nodes if isinstance(node, StyleSheets)}
    assert "room/main" in modules and any("css/components/seat.css" in names for names in lists.values())
    entries, sheets = named_by_templates()
    assert (set(entries), sheets) == (modules, lists)


def test_no_page_has_script_that_is_not_joined() -> None:
    """Modules are named by `{% module %}` alone: addresses of source files and imports in a page lead nowhere."""
    for name, one in templates().items():
        assert not re.search(r"{% static ['\"]js/", one.source), name
        assert not re.search(r"<script[^>]*type=\"module\"", one.source), name


def test_all_of_it_is_joined(static_files: None) -> None:
    entries, lists = named_by_templates()
    root = Path(settings.STATIC_ROOT)
    with override_settings(STORAGES=JOINED):
        scripts = {entry: staticfiles_storage.script_urls(entry) for entry in entries}  # type: ignore[attr-defined]
        sheets = {name: staticfiles_storage.url(name) for name in lists}
        assert json.loads(import_map())["imports"].keys() == {"hls"}
    assert not [(entry, files) for entry, files in scripts.items() if len(files) > 5]
    assert len(scripts["page"]) == 1
    for address in {*sheets.values(), *(one for files in scripts.values() for one in files)}:
        path = root / address.removeprefix("/static/")
        text = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o644  # nginx' user reads it
        assert re.search(r"\.\w{8,12}\.(js|css)$", path.name)
        assert path.with_name(f"{path.name}.gz").exists() or path.stat().st_size < WORTH_COMPRESSING
        # By name only the player is asked for, and only when it is needed; style asks for no other style.
        assert set(re.findall(r'\b(?:from|import\(?)"([\w/-]+)"', text)) <= {"hls"}, path
        assert not re.search(r'(?:from|import) ?"hls"', text) and "@import" not in text, path
    assert not list((root / "js").rglob("*.js"))


def test_layers_stay_in_order(static_files: None) -> None:
    """The frame's sheet says the order, before anything stands in a layer."""
    for name, names in named_by_templates()[1].items():
        text = (Path(settings.STATIC_ROOT) / name).read_text()
        if "css/tokens.css" in names:
            assert text.startswith("@layer tokens,base,admin,components,pages;"), name
        assert re.sub(r"@layer [^{;]+[{;]", "", text) != text, name


def test_a_joined_page_has_the_nonce_and_one_link_for_its_style(static_files: None) -> None:
    page = "{% load core static %}{% stylesheets %}{% static 'css/tokens.css' %}{% endstylesheets %}"
    with override_settings(STORAGES=JOINED):
        script = module("room/main", "n0nce")
        with pytest.raises(ValueError, match="collectstatic"):
            module("room/core/store", "n0nce")  # a module that no page names
        with pytest.raises(ValueError, match="joined/tokens-"):
            Template(page).render(Context())  # a list that was not collected
    assert re.search(
        r'<script type="module" nonce="n0nce" src="/static/joined/room/main\.\w{8}\.js"></script>$', script
    )
    assert script.count("modulepreload") == len(re.findall(r"/static/joined/[\w/.]+\.js", script)) - 1
    assert "/static/css/tokens.css" in Template(page).render(Context())  # as it lies


def test_without_esbuild_nothing_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_files, "ESBUILD", tmp_path / "esbuild")
    with override_settings(STORAGES=JOINED, STATIC_ROOT=tmp_path / "static"):
        with pytest.raises(CannotJoin, match=r"esbuild is missing .* run script/bootstrap"):
            call_command("collectstatic", "--no-input", "--verbosity", "0")
        with pytest.raises(ValueError, match="collectstatic"):
            module("page", "")
    assert not list((tmp_path / "static").glob("*.json"))


def test_what_is_wrong_with_a_module_is_said(tmp_path: Path) -> None:
    root = source(tmp_path)
    (root / "js" / "page.js").write_text('import { nothing } from "shared/nowhere";\nnothing();\n')
    with pytest.raises(CannotJoin, match="shared/nowhere"):
        join(root, "page")
    assert not (root / joined_files.ENTRIES).exists()


def test_names_depend_on_the_content_alone(tmp_path: Path) -> None:
    one, other = (source(tmp_path / name) for name in ("one", "other"))
    first = join(one, "messages/thread", "page")
    (other / "js" / "shared" / "dom.0123456789ab.js").write_text("throw 1;\n")  # of an older release
    assert join(other, "messages/thread", "page") == first
    with (other / "js" / "shared" / "dom.js").open("a") as file:
        file.write('document.title = "changed";\n')
    changed = join(other, "messages/thread", "page")
    assert not set(changed["messages/thread"]) & set(first["messages/thread"])  # all that depends on it


def join(root: Path, *entries: str) -> dict[str, list[str]]:
    sources = Path(settings.BASE_DIR) / "static"
    return joined_files.join_scripts(root, entries, [str(path.relative_to(sources)) for path in sources.rglob("*.js")])


def source(folder: Path) -> Path:
    """A copy of our modules, as collecting finds them."""
    shutil.copytree(Path(settings.BASE_DIR) / "static" / "js", folder / "js")
    return folder
