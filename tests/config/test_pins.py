"""A version is pinned only for what something needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from script import check_pins


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one module, which imports Celery, and with no exceptions."""
    monkeypatch.setattr(check_pins, "ROOT", tmp_path)
    monkeypatch.setattr(check_pins, "NOT_IMPORTED", {})
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "tasks.py").write_text("def work():\n    from celery.app import base\n")
    return tmp_path


def refused(project: Path, capsys: pytest.CaptureFixture[str], *names: str) -> list[str]:
    """Pin these, run the check; the names that it refuses."""
    (project / "requirements.txt").write_text("".join(f"{name}==1.0\n" for name in names))
    number = check_pins.unneeded()
    lines = capsys.readouterr().out.splitlines()
    assert number == len(lines)
    return [line.split()[0] for line in lines]


def test_what_is_imported_and_what_that_requires_may_be_pinned(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(project, capsys, "celery", "kombu", "amqp", "tzdata") == []


def test_what_nothing_needs_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(project, capsys, "celery", "channels_redis", "whitenoise") == ["channels-redis", "whitenoise"]


def test_an_extra_counts_only_where_it_is_asked_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Celery names Django in an extra; Daphne asks for Twisted's `tls`, which needs service-identity."""
    assert refused(project, capsys, "celery", "django") == ["django"]
    (project / "app" / "serving.py").write_text("import daphne.server\n")
    assert refused(project, capsys, "celery", "daphne", "service-identity") == []


def test_an_exception_is_honoured_until_it_is_none(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_pins, "NOT_IMPORTED", {"whitenoise": "named in settings"})
    assert refused(project, capsys, "celery", "whitenoise") == []
    assert refused(project, capsys, "celery") == ["whitenoise"]
    (project / "app" / "static.py").write_text("import whitenoise\n")
    assert refused(project, capsys, "celery", "whitenoise") == ["whitenoise"]
