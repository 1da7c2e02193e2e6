"""Checks of script/server before it installs or starts anything, and the commands for the process manager."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from config.env import is_loopback
from deploy.local import closed, janus, keys, postgres, serve
from deploy.local.arguments import Arguments
from deploy.local.certificate import certificate
from deploy.local.manager import Manager
from deploy.local.process import CannotStart, wait_for

ROOT = Path(__file__).resolve().parents[2]
ASKED = Arguments(https=False, port=8000, port_given=True, host="127.0.0.1", database_url="", redis_url="")


def server(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run([ROOT / "script/server", *words], env={**clean, **env}, text=True, capture_output=True)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "abc", "write a whole number from 1 to 65535, for example PORT=8000"),
        ("DATABASE_URL", "sqlite:///x", "write an address that starts with postgresql://"),
        ("REDIS_URL", "localhost", "write an address that starts with redis://"),
        ("HOST", "a b", "for example HOST=127.0.0.1"),
        ("DEBUG", "perhaps", "write true or false"),
    ],
)
def test_nonsense_is_refused_at_once(name: str, value: str, words: str) -> None:
    done = server(**{name: value})
    assert done.returncode != 0
    assert f'{name} is "{value}"' in done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(("words", "host"), [((), "0.0.0.0"), ((), "192.0.2.7"), (("--https",), ""), ((), "::")])
def test_debug_is_refused_where_others_reach_the_site(words: tuple[str, ...], host: str) -> None:
    done = server(*words, DEBUG="true", HOST=host)
    assert done.returncode != 0 and 'DEBUG is "true": write false' in done.stderr


def test_settings_refuse_debug_on_a_site_that_others_reach() -> None:
    env = {**os.environ, "DEBUG": "true", "SITE_URL": "https://tafel.example"}
    line = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(line, cwd=ROOT, env=env, text=True, capture_output=True)
    assert 'DEBUG is "true": write false: others reach this site' in done.stderr
    done = subprocess.run(
        line, cwd=ROOT, env={**env, "SITE_URL": "http://localhost:8000"}, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        *((host, True) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "tafel.localhost")),
        *((host, False) for host in ("", "0.0.0.0", "::", "192.0.2.7", "localhost.example", "tafel.example")),
    ],
)
def test_loopback_is_what_this_machine_alone_reaches(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_help_tells_the_environment() -> None:
    done = server("--help")
    assert done.returncode == 0
    for word in ("--https", "PORT", "DATABASE_URL", "REDIS_URL", "Debian 12", "Ubuntu 24.04"):
        assert word in done.stdout


def test_a_taken_port_is_refused_when_it_was_asked_for() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f'PORT is "{port}".*write another one'):
            serve.web_port(Arguments(**{**vars(ASKED), "port": port}))
        free = serve.web_port(Arguments(**{**vars(ASKED), "port": port, "port_given": False}))
        assert port < free < port + 100


@pytest.mark.parametrize("address", ["127.0.0.1", "nowhere", "203.0.113.9"])
def test_an_address_that_cannot_carry_sound_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("MEDIA_ADDRESS", address)
    with pytest.raises(CannotStart, match=f'MEDIA_ADDRESS is "{address}".*write an address of this machine'):
        janus.media_address()


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    first = keys.load(file)
    assert keys.load(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == len(keys.LENGTHS)


def test_data_that_another_user_could_not_reach_goes_elsewhere(tmp_path: Path) -> None:
    hidden = tmp_path / "closed" / "checkout"
    hidden.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not postgres.passable(hidden)
    place = postgres.Postgres(hidden, 1, {}).data
    under_checkout = place.is_relative_to(hidden)
    assert under_checkout == (os.geteuid() != 0)


def test_data_is_found_again_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was closed to all moved its data away; it is open for passing through now, and the data stays."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres, "elsewhere", lambda folder: tmp_path / "var" / "postgres")
    passable = Path(tempfile.mkdtemp(prefix="stamtafel-passable-"))
    try:
        closed.close(passable)
        passable.chmod(0o711)
        one = postgres.Postgres(passable, 1, {})
        assert one.data == passable / "postgres"
        (tmp_path / "var" / "postgres").mkdir(parents=True)
        (tmp_path / "var" / "postgres" / "PG_VERSION").write_text("15\n")
        assert one.data == tmp_path / "var" / "postgres"
        (passable / "postgres").mkdir()
        (passable / "postgres" / "PG_VERSION").write_text("15\n")
        assert one.data == passable / "postgres"
        passable.chmod(0o700)
        with pytest.raises(CannotStart, match="cannot reach any more"):
            one.prepare()
    finally:
        shutil.rmtree(passable)


def test_a_certificate_is_kept_until_the_address_changes(tmp_path: Path) -> None:
    file = certificate(tmp_path, ["192.0.2.7"])
    first = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert certificate(tmp_path, ["192.0.2.7"]).read_text() == first
    assert certificate(tmp_path, ["192.0.2.8"]).read_text() != first


def test_the_manager_starts_again_what_dies_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    manager = Manager(ROOT, tmp_path, port, "secret")
    mark = f"{tmp_path.name}-mark"
    line = ["setpriv", "--pdeathsig", "TERM", "--", "sh", "-c", f"exec -a {mark} sleep 600"]
    manager.write({"redis": ["setpriv", "--pdeathsig", "TERM", "--", "bash", *line[5:]]})
    manager.start(dict(os.environ))
    first = pid_of(mark)
    os.kill(first, 9)
    second = pid_of(mark, other_than=first)
    assert second != first
    assert manager.process is not None
    manager.process.kill()
    manager.process.wait()
    gone(mark)


def pid_of(mark: str, other_than: int = 0) -> int:
    found: list[int] = []

    def look() -> bool:
        done = subprocess.run(["pgrep", "--full", f"^{mark}"], text=True, capture_output=True)
        found[:] = [int(word) for word in done.stdout.split() if int(word) != other_than]
        return bool(found)

    wait_for("the program", look, seconds=60)
    return found[0]


def gone(mark: str) -> None:
    def look() -> bool:
        return subprocess.run(["pgrep", "--full", f"^{mark}"], capture_output=True).returncode == 1

    wait_for("the program's end", look, seconds=60)
