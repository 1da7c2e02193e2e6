"""Pure parts of the pages' scripts, in node: days as people name them, time zones found by their letters."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.templatetags.core import moment
from people.forms import ProfileForm
from people.models import User

ROOT = Path(__file__).resolve().parents[2]
IMPORT_MAP = ROOT / "tests/rooms/import_map.mjs"


def node(script: str) -> Any:
    command = ["node", "--import", IMPORT_MAP.as_uri(), "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("zone", "now", "at", "away"),
    [
        ("Europe/Amsterdam", "2026-05-04T12:00Z", "2026-05-04T01:00Z", 0),
        ("Europe/Amsterdam", "2026-05-04T12:00Z", "2026-05-03T21:59Z", -1),  # 23:59 there
        ("Europe/Amsterdam", "2026-05-04T12:00Z", "2026-05-03T22:01Z", 0),  # 00:01 there
        ("Asia/Tokyo", "2026-05-04T12:00Z", "2026-05-04T15:30Z", 1),
        # The hour that is left out or comes twice, at both ends of the days beside it.
        ("Europe/Amsterdam", "2026-03-29T21:30Z", "2026-03-28T22:45Z", -1),
        ("Europe/Amsterdam", "2026-10-25T22:30Z", "2026-10-24T21:59Z", -1),
        ("Europe/Amsterdam", "2026-01-01T11:00Z", "2025-12-31T11:00Z", -1),
    ],
)
def test_days_between(zone: str, now: str, at: str, away: int) -> None:
    script = f"""
        globalThis.document = {{ documentElement: {{ lang: "nl", dataset: {{ zone: "{zone}" }} }} }};
        globalThis.navigator ??= {{ languages: ["nl-NL"] }};
        const {{ daysBetween }} = await import("shared/time");
        console.log(daysBetween(new Date("{now}"), new Date("{at}")));
    """
    assert node(script) == away


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("amster", ["Europe/Amsterdam"]),
        ("new YORK", ["America/New_York"]),
        ("aires argentina", ["America/Argentina/Buenos_Aires"]),
        ("São", ["America/Sao_Paulo"]),
        ("", ["America/Argentina/Buenos_Aires", "America/New_York", "America/Sao_Paulo", "Europe/Amsterdam"]),
        ("nowhere", []),
    ],
)
def test_zones_by_their_letters(query: str, found: list[str]) -> None:
    names = ["America/Argentina/Buenos_Aires", "America/New_York", "America/Sao_Paulo", "Europe/Amsterdam"]
    script = f"""
        const {{ matching }} = await import("people/zones");
        console.log(JSON.stringify(matching({json.dumps(names)}, {json.dumps(query)})));
    """
    assert node(script) == found


def test_shared_modules_do_nothing_when_they_are_imported() -> None:
    """Joined, they come to every page, also to those that ask for none of them (core/joined_files.py)."""
    names = sorted(f"shared/{path.stem}" for path in (ROOT / "static/js/shared").glob("*.js"))
    script = f"""
        const before = Object.keys(globalThis).length;
        for (const name of {json.dumps(names)}) await import(name);
        console.log(Object.keys(globalThis).length - before);
    """
    assert "shared/dom" in names and node(script) == 0  # nor is there a document here that they could have read


def test_without_script_days_have_their_names_too() -> None:
    with timezone.override(UTC):
        now = datetime.now(UTC).replace(hour=12)
        names = [str(moment(now + timedelta(days=days))) for days in (-2, -1, 0, 1, 2)]
    for name, shown in zip((None, "yesterday 12:", "today 12:", "tomorrow 12:", None), names, strict=True):
        assert name in shown if name else "day" not in shown.partition(">")[2]


@pytest.mark.django_db
def test_the_browsers_own_zone_is_the_first_to_choose() -> None:
    offered = list(ProfileForm(instance=User(), device_zone="Asia/Tokyo").fields["time_zone"].choices)  # type: ignore[attr-defined]
    assert offered[0] == ("This device", [("Asia/Tokyo", "Asia/Tokyo")])
    for odd in ("", "Mars/Olympus", "<b>"):
        first = next(iter(ProfileForm(instance=User(), device_zone=odd).fields["time_zone"].choices))  # type: ignore[attr-defined]
        assert first == ("UTC", "UTC")
