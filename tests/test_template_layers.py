"""Templates keep to the layers of the apps: each loads, includes and extends only what is its own app's or lower."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
# From the bottom; apps of one rank know nothing of each other. The same order stands in pyproject.toml.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("ledger", "mail"),
    ("people",),
    ("social",),
    ("rooms",),
    ("retention", "transcripts"),
    ("moderation",),
    ("pages",),
    ("config",),
)
RANK = {app: rank for rank, apps in enumerate(LAYERS) for app in apps}
# Folders of templates that are no app's name, and whose they are.
OWNER = {"components": "core", "console": "core", "auth": "people", "dev": "config"} | dict.fromkeys(
    ("account", "allauth", "mfa", "usersessions"), "people"
)
USED = re.compile(r"{%\s*(include|extends)\s+[\"']([^\"']+)[\"']|{%\s*load\s+([^%]+?)\s*%}")
DJANGO = frozenset({"static", "i18n", "l10n", "tz", "humanize", "account", "admin_urls", "admin_list"})
DJANGO |= frozenset({"admin_modify", "log", "cache"})


def owner(name: str) -> str:
    """The app that a template belongs to; those at the top (base.html, 404.html) are everybody's."""
    parts = name.split("/")
    if parts[0] == "admin":
        return OWNER.get(parts[1], parts[1]) if len(parts) > 2 else "core"
    return OWNER.get(parts[0], parts[0]) if len(parts) > 1 else "core"


def library(name: str) -> str:
    """The app that has a library of template tags; empty for Django's and others'."""
    found = [path.parent.parent.name for path in ROOT.glob(f"*/templatetags/{name}.py")]
    assert found or name in DJANGO, f"nobody has the template library {name}"
    return found[0] if found else ""


def used(text: str) -> list[str]:
    """Apps whose templates or tags a template uses."""
    apps = []
    for _word, template, libraries in USED.findall(text):
        if template:
            apps.append(owner(template) if (TEMPLATES / template).exists() else "")
        else:
            apps += [library(name) for name in libraries.partition(" from ")[2].split() or libraries.split()]
    return [app for app in apps if app]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.*")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_uses_only_what_is_its_own_or_lower(path: Path) -> None:
    own = owner(path.relative_to(TEMPLATES).as_posix())
    assert own in RANK, f"{path} belongs to no app"
    for app in used(path.read_text()):
        assert app == own or RANK[app] < RANK[own], f"{path.name} of {own} uses something of {app}"


def test_the_check_finds_what_it_forbids() -> None:
    text = '{% load i18n retention %}{% include "pages/card.html" %}'
    assert used(text) == ["retention", "pages"]
    assert RANK["pages"] > RANK["people"]
