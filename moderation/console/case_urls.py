"""Addresses of one case in the admin, below `moderation/case/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from moderation.console import case_acts, case_decide, case_evidence, case_page


def case_urls(wrap: Callable[..., Any]) -> list[URLPattern]:
    """The addresses of a case; `wrap` is the admin's `admin_view`."""
    views: list[tuple[str, Callable[..., Any], str]] = [
        ("", case_page.case_page, "change"),
        ("claim/", case_acts.claim, "claim"),
        ("mark/", case_acts.mark, "mark"),
        ("quote/", case_acts.quote, "quote"),
        ("note/", case_acts.note, "note"),
        ("ask/", case_acts.ask, "ask"),
        ("transcribe/", case_acts.transcribe, "transcribe"),
        ("show/", case_acts.show, "show"),
        ("split/", case_acts.split, "split"),
        ("at-once/", case_acts.act_at_once, "at_once"),
        ("decide/", case_decide.decide, "decide"),
        ("second/", case_decide.second, "second"),
    ]
    own = [path(f"<int:pk>/{tail}", wrap(view), name=f"moderation_case_{name}") for tail, view, name in views]
    return [*own, *evidence_urls(wrap, "case")]


def evidence_urls(wrap: Callable[..., Any], of: str) -> list[URLPattern]:
    """The addresses of a case's evidence, below those of a case or of a review (`of`)."""
    views: list[tuple[str, Callable[..., Any], str]] = [
        ("look/", case_evidence.look, "look"),
        ("lines/", case_evidence.lines, "lines"),
        ("peaks/", case_evidence.peaks, "peaks"),
        ("stage/", case_evidence.stage, "stage"),
        ("sound.m3u8", case_evidence.playlist, "playlist"),
        ("sound/<path:path>", case_evidence.sound, "sound"),
        ("picture/<int:report>/", case_evidence.picture, "picture"),
    ]
    return [path(f"<int:pk>/{tail}", wrap(view), {"of": of}, f"moderation_{of}_{name}") for tail, view, name in views]
