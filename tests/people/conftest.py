"""Hashes of passwords without their work."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 as the site uses it, with the least work and memory. All of these tests run in one process, and none is
    about time; processes of the site would take such a hash for an old one, and renew it."""
    for name, least in {"time_cost": 1, "memory_cost": 8, "parallelism": 1}.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, least)
