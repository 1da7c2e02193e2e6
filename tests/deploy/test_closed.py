"""What another user of the machine gets of a running site: nothing, neither out of its folder nor out of its processes.

As root the other user is `nobody`, who really tries; others look at the modes that would stop everybody.
"""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.conf import settings

from deploy.local import closed, programs
from deploy.local.throwaway import Throwaway
from tests.processes import Site

# Read or list what is named on stdin, one path a line; tell what worked.
TRY = """
import os, sys
got = []
for path in sys.stdin.read().splitlines():
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            with open(path, "rb") as file:
                file.read(1)
        got.append(path)
    except OSError:
        pass
    if os.access(path, os.W_OK):
        got.append(path + " (writable)")
print(chr(10).join(got))
"""
DEV_KEY = "d" * 48
PYTHON = next(path for path in ("/usr/bin/python3", sys.executable) if Path(path).exists())


def as_other(user: str, paths: list[str]) -> list[str]:
    """Which of these paths the user can read or list, or write."""
    line = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", "--", PYTHON, "-c", TRY]
    done = subprocess.run(line, input="\n".join(paths), text=True, capture_output=True, check=True, timeout=60)
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def open_by_mode(folder: Path) -> list[str]:
    """Paths in a folder that modes leave open to somebody else."""
    found = []
    for place, folders, files in os.walk(folder):
        for name in list(folders):
            if not Path(place, name).lstat().st_mode & stat.S_IXOTH:
                folders.remove(name)  # nobody gets further than this
        paths = [Path(place, name) for name in (*folders, *files)]
        found += [str(path) for path in paths if not path.is_symlink() and path.lstat().st_mode & 0o006]
    return found


def within(folder: Path) -> list[str]:
    return [str(folder), *(str(path) for path in folder.rglob("*") if not path.is_symlink() and not path.is_socket())]


def readable(folder: Path) -> list[str]:
    return as_other("nobody", within(folder)) if os.geteuid() == 0 else open_by_mode(folder)


def processes(services: Throwaway, site: Site) -> dict[int, str]:
    """Everything that the parts and the site run, with what each is."""
    roots = {process.pid: name for name, process in {**services.running, **site.running}.items()}
    found = dict(roots)
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent in found:
            found[int(folder.name)] = found[parent]
    return found


def test_another_user_gets_nothing_of_a_running_site(services: Throwaway, site: Site) -> None:
    """The fault: session ids out of Redis' dump, in folders that let everybody in."""
    site.start("web", "media", DEV_KEY=DEV_KEY, STATIC_FILES="source")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(settings.REDIS_PREFIX + "session", "somebody's")
        client.save()  # a throwaway one saves nothing by itself
    folder = services.folder
    assert (folder / "redis" / "dump.rdb").stat().st_mode & 0o777 == 0o600
    names = {Path(path).name for path in within(folder)}
    assert {"secrets", "redis.conf", "janus.jcfg", "web.log", "postgres.log", "recordings"} <= names
    assert readable(folder) == []
    data = services.instance.postgres.data
    if not data.is_relative_to(folder):
        assert readable(data.parent) == []
    window = Path(settings.WINDOW_DIR)
    assert not window.exists() or readable(window) == []
    no_process_tells_a_secret(services, site)


def no_process_tells_a_secret(services: Throwaway, site: Site) -> None:
    """Command lines are read by everybody, an environment by the user that a process runs as."""
    keys = {**services.instance.keys, "DEV_KEY of the process": DEV_KEY}
    found = processes(services, site)
    assert {"postgres", "redis", "janus", "web", "media"} <= set(found.values())
    for pid, name in found.items():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        assert [key for key, value in keys.items() if value in line] == [], name
    if os.geteuid() == 0:
        assert as_other("nobody", [f"/proc/{pid}/environ" for pid in found]) == []
    theirs = Path(f"/proc/{services.running['postgres'].pid}/environ").read_text(errors="replace")
    assert theirs and [key for key, value in keys.items() if value in theirs] == [], "its user is another one than ours"


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
    for folder in (local, local / "redis", local / "recordings", local / "recordings" / "1"):
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
