"""Nonsense in the environment is refused in a sentence that says what to write."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize(
    ("value", "read", "words"),
    [
        ("abc", lambda: env.env_int("X", 8000, 1, 65535), "whole number from 1 to 65535, for example X=8000"),
        ("0", lambda: env.env_int("X", 8000, 1, 65535), "from 1 to 65535"),
        ("70000", lambda: env.env_int("X", 8000, 1, 65535), 'X is "70000"'),
        ("maybe", lambda: env.env_bool("X"), "true or false"),
        ("mysql://a/b", lambda: env.env_url("X", "", ("postgresql",)), "starts with postgresql://"),
        ("redis://h:99999/0", lambda: env.env_url("X", "", ("redis",)), "starts with redis://"),
        ("redis:///", lambda: env.env_url("X", "", ("redis",)), "starts with redis://"),
        ("20000", lambda: env.env_ports("X", (20000, 20999)), "two ports with a dash"),
        ("20999-20000", lambda: env.env_ports("X", (20000, 20999)), "for example X=20000-20999"),
        ("green", lambda: env.env_str("X", choices=("red", "blue")), "one of red, blue"),
        ("Me <me@example.org>", lambda: env.env_email("X", ""), "an address, X=me@example.org"),
        ("me@", lambda: env.env_email("X", ""), "an address"),
        ("/nowhere/{language}.txt", lambda: env.env_texts("X", ["en", "nl"]), "one for each: en, nl"),
        ("/proc/self", lambda: env.env_texts("X", ["en"]), "a file that can be read"),
        ("/dev/null", lambda: env.env_texts("X", ["en"]), "no such file"),
        ("postgresql://u:p@h", lambda: env.env_database("X"), "the database's name too"),
    ],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, read: Callable[[], Any], words: str) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="write") as refused:
        read()
    assert words in str(refused.value)


def test_what_is_emptied_lies_apart_from_what_is_kept(tmp_path: Path) -> None:
    """WINDOW_DIR is, contains or lies in RECORDINGS_DIR, also by a link: nothing starts."""
    kept = tmp_path / "kept"
    (tmp_path / "link").symlink_to(kept)
    for wrong in (kept, tmp_path, kept / "window", tmp_path / "link" / "window", kept / "x" / ".."):
        assert env.overlap(wrong, kept)
    assert not env.overlap(tmp_path / "kept too", kept)
    changed = {**os.environ, "RECORDINGS_DIR": str(kept), "WINDOW_DIR": str(kept / "window")}
    line = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(line, env=changed, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "write a folder apart from RECORDINGS_DIR" in done.stderr


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "mysql://someone:hidden-word@host/name")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.env_url("X", "", ("postgresql",))
    assert "hidden-word" not in str(refused.value)
    assert "someone" in str(refused.value)


def test_empty_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "  ")
    assert env.env_int("X", 7) == 7
    assert env.env_bool("X", True) is True
    assert env.env_list("X", ["a"]) == ["a"]
    with pytest.raises(ImproperlyConfigured, match="X is not set: write something"):
        env.env_required("X", "something")


def test_a_file_fills_only_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALREADY", "mine")
    monkeypatch.delenv("MISSING", raising=False)
    file = tmp_path / "env"
    file.write_text("# a remark\nALREADY=theirs\nMISSING=a=b\n\nnonsense\n")
    env.load_file(file)
    assert (os.environ["ALREADY"], os.environ["MISSING"]) == ("mine", "a=b")
    monkeypatch.delenv("MISSING")
    env.load_file(tmp_path / "absent")


def test_texts_are_read_by_language(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "page.en.txt").write_text(" Hello\n", encoding="utf-8")
    (tmp_path / "page.nl.txt").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("X", str(tmp_path / "page.{language}.txt"))
    assert env.env_texts("X", ["en"]) == {"en": "Hello"}
    (tmp_path / "page.de.txt").write_text(" \n")
    with pytest.raises(ImproperlyConfigured, match="a file with text in it"):
        env.env_texts("X", ["de"])
    with pytest.raises(ImproperlyConfigured, match="UTF-8"):
        env.env_texts("X", ["en", "nl"])
    (tmp_path / "page.nl.txt").write_text("a" * (env.TEXT_BYTES + 1))
    with pytest.raises(ImproperlyConfigured, match="at most 100 kB"):
        env.env_texts("X", ["en", "nl"])
    monkeypatch.setenv("X", str(tmp_path / "page.en.txt"))
    assert env.env_texts("X", ["en", "nl"]) == {"en": "Hello", "nl": "Hello"}
    monkeypatch.delenv("X")
    assert env.env_texts("X", ["en", "nl"]) == {}
