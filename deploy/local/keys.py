"""Secrets of a checkout: made once, stored in one file that only its owner can read."""

import json
import os
import secrets
from pathlib import Path

LENGTHS = {
    "SECRET_KEY": 64,
    "LEDGER_KEY": 64,
    "POSTGRES_PASSWORD": 32,
    "POSTGRES_MIGRATOR_PASSWORD": 32,
    "POSTGRES_APP_PASSWORD": 32,
    "REDIS_PASSWORD": 32,
    "JANUS_API_SECRET": 32,
    "JANUS_ADMIN_SECRET": 32,
    "JANUS_ADMIN_KEY": 32,
    "MANAGER_PASSWORD": 32,
    "READYZ_KEY": 32,
    "DEV_KEY": 48,
}


def write_private(file: Path, text: str) -> None:
    """Write a file of mode 0600 atomically: readers find the old text or the new."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(text)
    draft.replace(file)


def load(file: Path) -> dict[str, str]:
    """Load the secrets of this folder; make and store those that are missing."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = {name: secrets.token_hex(length // 2) for name, length in LENGTHS.items() if name not in known}
    if missing:
        known |= missing
        write_private(file, json.dumps(known, indent=2) + "\n")
    return known
