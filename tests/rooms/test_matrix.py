"""The permission matrix against the rules: every act, role, state and policy."""

from __future__ import annotations

from rooms.rules import matrix
from rooms.rules.refusals import TABLE


def test_the_rules_answer_as_the_matrix_says() -> None:
    asked, wrong = 0, []
    for cell in matrix.cells():
        asked += 1
        if (code := matrix.answered(*cell)) != (wanted := matrix.expected(*cell)):
            wrong.append((*cell, code, wanted))
    assert not wrong, f"{len(wrong)} cells, the first: {wrong[:10]}"
    assert asked == len(matrix.ACTS) * len(matrix.ROLES) * len(matrix.STATUSES) * len(matrix.ENTRY) * len(matrix.SPEAK)
    assert asked > 19_000


def test_every_code_of_the_matrix_has_a_text() -> None:
    codes = {matrix.expected(*cell) for cell in matrix.cells()} - {None}
    assert codes <= set(TABLE)
    assert {"not_host", "not_allowed", "no_invitation", "hands_locked", "cohosts_full", "mute_held"} <= codes
