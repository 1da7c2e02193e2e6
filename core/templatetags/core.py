"""Template tags and filters for pages: scripts and style sheets, moments and durations for the reader."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db.models import Model
from django.templatetags.static import StaticNode, static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core.joined_files import JoinedFilesStorage, joined_sheet

register = template.Library()
MODULES = Path(settings.BASE_DIR) / "static" / "js"


# As the formatter writes them: `import "x";`, `import { y } from "x";`, `} from "x";`, `export … from "x";`.
IMPORTED = re.compile(r'^(?:import|export|\}).*?"([\w/]+)";$', re.MULTILINE)


def _modules() -> dict[str, str]:
    """Every module by its name in the import map (`room/core/store`), with its address."""
    files = sorted(path.relative_to(MODULES).as_posix() for path in MODULES.rglob("*.js"))
    return {name.removesuffix(".js"): static(f"js/{name}") for name in files}


def _imported_by(entry: str) -> tuple[str, ...]:
    """A module and all that it imports, by name, each once. What is imported by a call, later, is not among them."""
    seen: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = None
            waiting += reversed(IMPORTED.findall((MODULES / f"{name}.js").read_text(encoding="utf-8")))
    return tuple(seen)


_modules_once = cache(_modules)
_imported_once = cache(_imported_by)


def _changing() -> bool:
    """Whether the files may change while the site runs."""
    return bool(settings.STATIC_FILES == "source")


def _joined() -> JoinedFilesStorage | None:
    """The storage in which pages' files are joined, if they are collected."""
    return staticfiles_storage if isinstance(staticfiles_storage, JoinedFilesStorage) else None


@register.simple_tag
def import_map() -> SafeString:
    """Return the JSON of an import map: `room/core/socket` → the file's address.

    Modules import each other by name and never by path. Where they are joined only the player is left to be named.
    """
    modules = {} if _joined() else _modules() if _changing() else _modules_once()
    imports = {**modules, "hls": static("vendor/hls.light.min.mjs")}
    return mark_safe(json.dumps({"imports": imports}).replace("<", "\\u003c"))


@register.simple_tag
def module(entry: str, nonce: str) -> SafeString:
    """Return the script element of a page's own module, and a link for each file with what it imports.

    With the links all are fetched at once, and not one after the other as they are read.
    """
    if storage := _joined():
        addresses = storage.script_urls(entry)
    else:
        names = _imported_by(entry) if _changing() else _imported_once(entry)
        addresses = [static(f"js/{name}.js") for name in names]
    links = format_html_join("\n  ", '<link rel="modulepreload" href="{}">', [(one,) for one in addresses])
    return format_html('{}\n  <script type="module" nonce="{}" src="{}"></script>', links, nonce, addresses[0])


class StyleSheets(template.Node):
    """Links to style sheets, or one to the file in which they are joined."""

    def __init__(self, links: template.NodeList) -> None:
        self.links = links
        named = [node for node in links.get_nodes_by_type(StaticNode) if isinstance(node, StaticNode)]
        self.names = [str(node.path.var) for node in named]

    def render(self, context: template.Context) -> SafeString:
        if not _joined():
            return self.links.render(context)
        return format_html('<link rel="stylesheet" href="{}">', static(joined_sheet(self.names)))


@register.tag
def stylesheets(parser: template.base.Parser, _token: template.base.Token) -> StyleSheets:
    """`{% stylesheets %}<link …><link …>{% endstylesheets %}`: links as they stand there, which collecting joins."""
    links = parser.parse(("endstylesheets",))
    parser.delete_first_token()
    return StyleSheets(links)


@register.filter
def moment(at: datetime | None, style: str = "short") -> SafeString | str:
    """Render `at` as <time> in the reader's zone: `short` 4 May 14:02 or yesterday 14:02, `date` 4 May 2026, `full`
    both, `clock` 14:02, `day` yesterday or Thursday 4 May 2026, `brief` 14:02, yesterday or 4 May.

    A script refines it.
    """
    if at is None:
        return ""
    local = timezone.localtime(at)
    text = {
        "short": lambda: f"{near_day(local) or date_format(local, 'j N')} {date_format(local, 'H:i')}",
        "date": lambda: date_format(local, "j F Y"),
        "full": lambda: date_format(local, "j F Y") + " " + date_format(local, "H:i"),
        "clock": lambda: date_format(local, "H:i"),
        "brief": lambda: _brief(local),
        "day": lambda: near_day(local) or date_format(local, "l j F Y"),
    }[style]()
    return format_html('<time datetime="{}" data-style="{}">{}</time>', at.isoformat(), style, text)


def _brief(local: datetime) -> str:
    if local.date() == timezone.localdate():
        return date_format(local, "H:i")
    return near_day(local) or date_format(local, "j N")


def near_day(local: datetime) -> str:
    """Name a day as people do, if it is today or next to it; "" for any other."""
    away = (local.date() - timezone.localdate()).days
    return {-1: _("yesterday"), 0: _("today"), 1: _("tomorrow")}.get(away, "")


@register.filter
def lasting(milliseconds: int | None) -> str:
    """Write a duration as people say it: 42 s, 12 min, 1 h 05 min."""
    if milliseconds is None:
        return ""
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def of(found: dict[int, Any], row: Model) -> Any:
    """Look up a row's value in a dict by primary key that was loaded for many rows at once; None where it has none."""
    return found.get(row.pk)


@register.filter
def first_word(name: str) -> str:
    """The first word of a name, which stands under a seat. Screen readers read the whole name."""
    return (name.split() or [name])[0]
