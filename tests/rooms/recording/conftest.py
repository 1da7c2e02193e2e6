"""Pages of these tests name their files as they lie."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _plain(plain_static_files: None) -> None:
    """For every test here."""
