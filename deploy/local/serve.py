"""script/server, once everything is installed: start everything, print the address, stop everything with Ctrl-C."""

import fcntl
import gc
import hashlib
import importlib
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from config.env import ImproperlyConfigured, without_password
from deploy.local import arguments, keys, programs
from deploy.local.arguments import Arguments
from deploy.local.certificate import certificate
from deploy.local.closed import UMASK, close
from deploy.local.instance import Instance
from deploy.local.janus import media_address
from deploy.local.manager import Manager
from deploy.local.ports import Claim, NoPorts, is_free, previous_block
from deploy.local.process import CannotStart, run, wait_for

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
READY_SECONDS = 180.0
MIGRATIONS = "MIGRATIONS_DATABASE_URL"
DONE = "\N{CHECK MARK}" if (sys.stdout.encoding or "").lower().startswith("utf") else "ok"


class Stopped(Exception):
    """A signal to stop was received."""


def on_signal(number: int, frame: FrameType | None) -> None:
    """Raise Stopped, for Ctrl-C, TERM and a closed terminal alike."""
    raise Stopped(signal.Signals(number).name)


@contextmanager
def step(what: str) -> Generator[None]:
    """Print a step's name and how long it took."""
    began = time.monotonic()
    print(f"  {what} … ", end="", flush=True)
    yield
    print(f"{DONE} {time.monotonic() - began:.1f} s", flush=True)


def lock_checkout() -> TextIO:
    """Take the checkout's lock, for as long as the process lives. Raises CannotStart where another server has it."""
    os.umask(UMASK)
    close(LOCAL)
    lock = (LOCAL / "server.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        raise CannotStart(f"it already runs for this checkout: {lock.read().strip() or 'starting'}") from error
    lock.truncate(0)
    return lock


def web_port(asked: Arguments) -> int:
    """Return the port asked for; without one and with 8000 taken, the next free one. Raises CannotStart."""
    if is_free(asked.port, asked.host):
        return asked.port
    following = [port for port in range(asked.port + 1, min(asked.port + 100, 65536)) if is_free(port, asked.host)]
    if not following or asked.port_given:
        example = f", for example PORT={following[0]}" if following else ""
        raise CannotStart(f'PORT is "{asked.port}", but that port cannot be had: write another one{example}')
    return following[0]


def environment(instance: Instance, asked: Arguments, port: int) -> dict[str, str]:
    """Return the environment of the site's processes; variables that are set already win, except ours."""
    scheme = "https" if asked.https else "http"
    shown = instance.address if asked.https else "localhost"
    ours = {
        **instance.environment(),
        "SITE_URL": f"{scheme}://{shown}:{port}",
        "ALLOWED_HOSTS": f"localhost,127.0.0.1,[::1],{instance.address}",
        "DEBUG": "false",
        "DEV_KEY": instance.keys["DEV_KEY"],
        "HSTS_SECONDS": "0",  # also where SITE_URL has a name: the same machine is localhost too
    }
    given = {name: os.environ[name] for name in ours if os.environ.get(name, "").strip()}
    return {**ours, **given, "STAMTAFEL_LOCAL_DIR": str(LOCAL), "PORT": str(port), "MEDIA_ADDRESS": instance.address}


def prepare(asked: Arguments, claim: Claim) -> tuple[Instance, Manager, dict[str, str], int]:
    """Write every configuration, without starting anything."""
    secrets = keys.load(LOCAL / "secrets")
    (LOCAL / "ports").write_text(f"{claim.block.first}\n")
    instance = Instance(LOCAL, claim.block, secrets, media_address())
    port = web_port(asked)
    env = environment(instance, asked, port)
    keys.write_private(LOCAL / "env", "".join(f"{name}={value}\n" for name, value in env.items()))
    write_migrator(instance, asked)
    os.environ.update(env)
    importlib.import_module("config.settings")  # refuses bad values of all other settings, before anything starts
    gc.enable()  # no apps are loaded here, after which settings have it on again
    given = {"postgres": asked.database_url, "redis": asked.redis_url}
    parts = instance.parts(frozenset(name for name, url in given.items() if url))
    lines = {name: part.command() for name, part in parts.items()}
    file = certificate(LOCAL, [instance.address]) if asked.https else None
    for name in programs.ORDER:
        lines[name] = programs.command(name, port, asked.host, file)
    manager = Manager(ROOT, LOCAL, claim.block.manager, secrets["MANAGER_PASSWORD"])
    manager.write(lines)
    return instance, manager, env, port


def write_migrator(instance: Instance, asked: Arguments) -> None:
    """Write the role that may change tables to a file that only `manage.py migrate` reads."""
    file = LOCAL / "migrations.env"
    if asked.database_url:
        file.unlink(missing_ok=True)
    else:
        os.environ.pop(MIGRATIONS, None)
        keys.write_private(file, f"{MIGRATIONS}={instance.postgres.migrations_url}\n")


def site_environment() -> dict[str, str]:
    """Return the environment of the site's processes, without the role that may change tables."""
    return {name: value for name, value in os.environ.items() if name != MIGRATIONS}


def manage(*words: str) -> str:
    """Run a Django command; returns its output."""
    return run([sys.executable, str(ROOT / "manage.py"), *words], env=dict(os.environ))


def start_parts(instance: Instance, manager: Manager) -> None:
    """Wait until PostgreSQL, Redis and Janus are ready, except those that the person has."""
    for name, part in (("postgres", instance.postgres), ("redis", instance.redis), ("janus", instance.janus)):
        if name not in manager.names:
            continue
        with step({"postgres": "PostgreSQL", "redis": "Redis", "janus": "Janus"}[name]):
            try:
                wait_for(name, part.ready, lambda name=name: manager.running(name))  # type: ignore[misc]
            except CannotStart as error:
                raise CannotStart(f"{error}:\n{manager.tail(name)}") from error


def fill(restored: str) -> str:
    """Migrate, apply what a restored backup has forgotten, collect static files and make the demo; returns what the
    demo prints about its accounts. `restored`: why a backup was put back, or ""."""
    with step("Tables"):
        manage("migrate", "--no-input", "--verbosity", "0")
        if restored:
            manage("ledger", "restored", restored)
        manage("retention", "reapply")
    collect()
    with step("Demo"):
        return manage("seed_demo")


def collect() -> None:
    """Collect static files under names with a hash, unless nothing changed since the last time."""
    settings = importlib.import_module("config.settings")
    if settings.STATIC_FILES == "source":
        return
    stamp, wanted = settings.STATIC_ROOT / ".stamp", static_fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    with step("Static files"):
        manage("collectstatic", "--no-input", "--verbosity", "0")
        stamp.write_text(wanted)


def static_fingerprint() -> str:
    """Return a digest that changes with our static files, what makes them, and what templates say is joined."""
    makers = ("requirements.txt", "package-lock.json", "config/settings.py", "core/joined_files.py")
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in makers))
    for path in sorted([*(ROOT / "static").rglob("*"), *(ROOT / "templates").rglob("*.html")]):
        if path.is_file():
            found = path.stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def start_site(manager: Manager, url: str) -> list[str]:
    """Start the site's processes and wait for /readyz. Returns a line for each degraded part. Raises CannotStart."""
    names = [name for name in programs.ORDER if name in manager.names]
    with step(f"Processes ({', '.join(names)})"):
        for name in names:
            manager.begin(name)
        until = time.monotonic() + READY_SECONDS
        while (state := readiness(url)) != "":
            for name in names:
                if not manager.running(name):
                    raise CannotStart(f"{name} does not stay up; it wrote:\n{manager.tail(name)}")
            if time.monotonic() > until:
                raise CannotStart(f"the site is not ready after {READY_SECONDS:.0f} s ({state}); logs: {LOCAL / 'log'}")
            time.sleep(0.3)
    return degraded(url)


def degraded(url: str) -> list[str]:
    """Return a line for each part that /readyz reports as degraded."""
    try:
        poorly = {name: part for name, part in ask_ready(url).items() if part["state"] == "degraded"}
        return [f"{name}: {part.get('detail', 'see /readyz')}" for name, part in poorly.items()]
    except (OSError, ValueError) as error:
        return [f"/readyz: {error}"]


def readiness(url: str) -> str:
    """Return "" when the site is ready, else the answer of /readyz or the error."""
    try:
        ask_ready(url)
        return ""
    except urllib.error.HTTPError as error:
        return error.read(2000).decode(errors="replace")
    except (OSError, ValueError) as error:
        return str(error)


def ask_ready(url: str) -> dict[str, dict[str, str]]:
    """Return the parts reported by /readyz. Raises HTTPError while one has failed."""
    import ssl

    own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the public certificates, which take 25 ms to read
    own.check_hostname, own.verify_mode = False, ssl.CERT_NONE  # our own certificate, on our own machine
    asked = urllib.request.Request(f"{url}/readyz", headers={"X-Readyz-Key": os.environ.get("READYZ_KEY", "")})
    with urllib.request.urlopen(asked, timeout=5, context=own) as answer:
        parts: dict[str, dict[str, str]] = json.load(answer)["parts"]
    return parts


def own_url(asked: Arguments, port: int) -> str:
    """Return the address of the pages from this machine."""
    host = "localhost" if asked.host in ("0.0.0.0", "127.0.0.1", "::", "localhost") else asked.host
    return f"{'https' if asked.https else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def welcome(url: str, accounts: str, notes: list[str], manager: Manager, seconds: float) -> None:
    """Print the address, the accounts, and notes."""
    print(f"\nStamtafel is at {url} (started in {seconds:.0f} s; Ctrl-C stops it)\n")
    print(accounts)
    if key := os.environ["DEV_KEY"]:
        print(f"Start page with the codes of staff and all mails, for you alone: {url}/dev/?key={key}\n")
    for note in notes:
        print(f"Note: {note}\n")
    print(
        f"Logs: {LOCAL / 'log'}\nStart one process again: {programs.BIN / 'supervisorctl'} -c {manager.configuration}"
    )
    sys.stdout.flush()


def watch(manager: Manager) -> None:
    """Wait for a signal; print when a process gives up. Raises CannotStart when supervisord dies."""
    told: set[str] = set()
    while manager.alive():
        time.sleep(2)
        for name, state in manager.states().items():
            if state == "FATAL" and name not in told:
                told.add(name)
                print(f"  {name} died again and again and stays down: see {manager.log(name)}", flush=True)
    raise CannotStart(f"the process manager died: see {LOCAL / 'log' / 'supervisord.log'}")


def serve(asked: Arguments, began: float) -> None:
    """Run everything until a signal or a failure."""
    lock = lock_checkout()
    claim = Claim(previous_block(LOCAL / "ports"))
    instance, manager, env, port = prepare(asked, claim)
    for name, url in (("PostgreSQL", asked.database_url), ("Redis", asked.redis_url)):
        if url:
            print(f"  {name}: yours, {without_password(url)}")
    try:
        manager.start(site_environment())
        start_parts(instance, manager)
        accounts = fill(asked.restored)
        notes = start_site(manager, own_url(asked, port))
        lock.write(f"{env['SITE_URL']} (process {os.getpid()})\n")
        lock.flush()
        welcome(env["SITE_URL"], accounts, notes, manager, time.monotonic() - began)
        watch(manager)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        print("\n  Stopping … ", end="", flush=True)
        manager.stop()
        print(DONE, flush=True)


def main() -> int:
    """Run; returns the exit status: 0 after a signal, 1 for a failure, 2 for a bad value."""
    began = float(os.environ.pop("STAMTAFEL_BEGAN", "0")) or time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        serve(arguments.parse(sys.argv[1:]), began)
    except Stopped:
        return 0
    except ImproperlyConfigured as error:
        print(f"script/server: {error}", file=sys.stderr)
        return 2
    except (CannotStart, NoPorts) as error:
        print(f"\nscript/server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
