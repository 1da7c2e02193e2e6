"""Choices that the room's page keeps in the browser: one that allows no storage must not break the page."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


def test_a_choice_and_a_list_are_kept_where_the_browser_lets_it() -> None:
    command = ["node", str(Path(__file__).with_name("kept.mjs"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "works": {"choices": [True, False, False, True], "numbers": [4, 0, 0, 0], "lists": [[], ["a", "b"], [], []]},
        "full": {"choices": [True, False, True, False], "numbers": [0, 0, 0, 0], "lists": [[], [], [], []]},
        "blocked": {"choices": [True, False, True, False], "numbers": [0, 0, 0, 0], "lists": [[], [], [], []]},
    }
