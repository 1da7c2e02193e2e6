"""Protection from other users of the machine: modes set at start, files private from the first byte, no secrets in
command lines. `tests/attacks/managed/test_local_user.py` tests the same on a running site."""

import json
import os
from pathlib import Path

import pytest

from deploy.local import closed, programs
from deploy.local.throwaway import Throwaway
from tests.attacks.nobody import open_by_mode


def test_command_lines_of_script_server_have_no_secret_either(services: Throwaway) -> None:
    lines = [programs.command(name, 8000, "0.0.0.0", Path("/x/certificate.pem")) for name in programs.ORDER]
    lines += [getattr(services.instance, name).command() for name in ("postgres", "redis", "janus")]
    text = json.dumps(lines)
    assert [key for key, value in services.instance.keys.items() if value in text] == []


def test_what_an_older_version_left_open_is_closed_at_start(tmp_path: Path) -> None:
    local = tmp_path / ".local"
    (local / "redis").mkdir(parents=True)
    (local / "recordings" / "1").mkdir(parents=True, mode=0o755)
    (local / "venv" / "bin").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    (local / "linked").symlink_to(elsewhere)
    for name, mode in (("redis/dump.rdb", 0o644), ("env", 0o640), ("venv/bin/python", 0o755), ("log", 0o644)):
        (local / name).write_text("secret")
        (local / name).chmod(mode)
    (local / "redis" / "link").symlink_to(elsewhere)
    for folder in (local, local / "venv", local / "redis", local / "recordings", local / "recordings" / "1"):
        folder.chmod(0o755)
    closed.close(local)
    assert open_by_mode(tmp_path / ".local") == []
    modes = {path.relative_to(local).as_posix(): path.lstat().st_mode & 0o777 for path in local.rglob("*")}
    assert modes["redis"] == modes["recordings/1"] == modes["venv/bin/python"] == 0o700
    assert modes["redis/dump.rdb"] == modes["env"] == 0o600
    assert elsewhere.stat().st_mode & 0o777 == 0o755, "what a link leads to is not ours to close"
    assert local.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize("name", ["secrets", "env"])
def test_a_file_of_secrets_is_private_from_its_first_byte(tmp_path: Path, name: str) -> None:
    from deploy.local.keys import write_private

    old = os.umask(0)
    try:
        write_private(tmp_path / name, "secret")
    finally:
        os.umask(old)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
