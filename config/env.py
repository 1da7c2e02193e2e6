"""Readers of settings in the environment. A bad value is refused with a sentence that says what to write.

An empty value counts as not given, so that `NAME= command` and an empty line in an EnvironmentFile mean the default.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Sequence
from errno import ENOENT
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from core.lane import DiskHangs, Lane

try:
    from django.core.exceptions import ImproperlyConfigured as ImproperlyConfigured
except ImportError:  # script/server reads values before Django is installed

    class ImproperlyConfigured(Exception):  # type: ignore[no-redef]
        """Replacement for Django's exception of that name."""


TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\Z")
TEXT_BYTES = 100_000  # most of a text file
SHOWN = 80  # characters of a refused value that are shown: enough to recognise it


def refuse(name: str, value: str, write: str) -> ImproperlyConfigured:
    """Build the exception for a bad value: the setting's name, the value, what to write instead."""
    found = value if len(value) <= SHOWN else value[:SHOWN] + "…"
    return ImproperlyConfigured(f'{name} is "{found}": write {write}')


def overlap(one: Path, other: Path) -> bool:
    """Whether two folders are the same, or one is inside the other. They need not exist.

    Links are followed, but not on a disk that hangs, so that no process waits for it to start.
    """
    try:
        first, second = Lane("a folder of the settings").run_here(lambda: (one.resolve(), other.resolve()))
    except DiskHangs:
        first, second = (Path(os.path.normpath(path.absolute())) for path in (one, other))
    return first.is_relative_to(second) or second.is_relative_to(first)


def without_password(url: str) -> str:
    """Return an address without its password, for messages and logs."""
    before, at, after = url.rpartition("@")
    if not at:
        return url
    scheme, slashes, account = before.partition("://")
    return f"{scheme}{slashes}{account.partition(':')[0]}:…@{after}"


def env_str(
    name: str,
    default: str = "",
    choices: Sequence[str] = (),
    check: Callable[[str], bool] | None = None,
    write: str = "",
) -> str:
    """Read a text: one of `choices` where they are given, or one that `check` accepts (`write` says what to write)."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if choices and value not in choices:
        raise refuse(name, value, f"one of {', '.join(choices)}")
    if check is not None and not check(value):
        raise refuse(name, value, write)
    return value


def env_required(name: str, write: str) -> str:
    """Read a text that has no default, because a default would be a secret that everybody knows."""
    value = env_str(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: write {write} (script/server and script/test do it for you)")
    return value


def env_bool(name: str, default: bool = False) -> bool:
    """Read yes or no (see TRUE and FALSE)."""
    value = env_str(name).lower()
    if not value:
        return default
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise refuse(name, value, f"true or false, for example {name}=true")


def env_int(name: str, default: int, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    """Read a whole number from `minimum` to `maximum`, both included."""
    value = env_str(name)
    if not value:
        return default
    write = f"a whole number from {minimum} to {maximum}, for example {name}={default}"
    try:
        number = int(value)
    except ValueError as error:
        raise refuse(name, value, write) from error
    if not minimum <= number <= maximum:
        raise refuse(name, value, write)
    return number


def env_url(name: str, default: str, schemes: Sequence[str], example: str = "") -> str:
    """Read an address with one of these schemes and a host (a path for a socket)."""
    value = env_str(name)
    if not value:
        return default
    write = f"an address that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if example or default:
        write += f", for example {name}={example or without_password(default)}"
    try:
        parts = urlsplit(value)
        complete = parts.scheme in schemes and bool(parts.netloc or parts.path.strip("/"))
        if parts.port == 0:
            complete = False
    except ValueError as error:
        raise refuse(name, without_password(value), write) from error
    if not complete:
        raise refuse(name, without_password(value), write)
    return value


def env_email(name: str, default: str) -> str:
    """Read an e-mail address, without a name before it."""
    return env_str(
        name, default, check=lambda value: bool(EMAIL.match(value)), write=f"an address, {name}=me@example.org"
    )


def env_texts(name: str, languages: Sequence[str]) -> dict[str, str]:
    """Read the text files of a path with `{language}` in it, by language; one file for all without it. {} where it is
    not given."""
    path = env_str(name)
    if not path:
        return {}
    texts = {}
    for language in languages:
        file = Path(path.replace("{language}", language))
        try:
            if not file.is_file():
                raise FileNotFoundError(ENOENT, "no such file")
            if file.stat().st_size > TEXT_BYTES:
                raise refuse(name, str(file), f"a file of at most {TEXT_BYTES // 1000} kB")
            texts[language] = file.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError as error:
            raise refuse(name, str(file), "a text file in UTF-8") from error
        except OSError as error:
            write = f"a file that can be read ({error.strerror}), with {{language}} in it one for each: "
            raise refuse(name, str(file), write + ", ".join(languages)) from error
        if not texts[language] or "\0" in texts[language]:
            raise refuse(name, str(file), "a file with text in it")
    return texts


def env_list(name: str, default: Sequence[str] = ()) -> list[str]:
    """Read words separated by commas; blanks around them are removed."""
    value = env_str(name)
    if not value:
        return list(default)
    return [word.strip() for word in value.split(",") if word.strip()]


def env_ports(name: str, default: tuple[int, int], width: int = 2) -> tuple[int, int]:
    """Read a range of ports FIRST-LAST of at least `width` ports."""
    value = env_str(name)
    if not value:
        return default
    write = f"two ports with a dash, {width} or more in the range, for example {name}={default[0]}-{default[1]}"
    first, _dash, last = value.partition("-")
    try:
        ports = int(first), int(last)
    except ValueError as error:
        raise refuse(name, value, write) from error
    if not (ports[0] >= 1024 and ports[0] + width - 1 <= ports[1] <= 65535):
        raise refuse(name, value, write)
    return ports


def env_database(name: str) -> dict[str, Any]:
    """Read `postgres://user:password@host:port/name` as one entry of Django's DATABASES.

    `?role=…`: the role to become after logging in (SET ROLE); `?host=…`: the folder of a socket.

    `CONN_MAX_AGE=0` with a pool: under ASGI a nonzero age leaks connections. The pool is for web alone
    (`DATABASE_POOL`), so that short commands and forked workers hold no idle ones.
    """
    example = "postgres://stamtafel:secret@localhost:5432/stamtafel"
    value = env_url(name, "", ("postgres", "postgresql"), example) or env_required(name, f"an address like {example}")
    parts = urlsplit(value)
    if not parts.path.strip("/"):
        raise refuse(name, without_password(value), f"the database's name too, for example {name}={example}")
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = (
        {"pool": {"min_size": 2, "max_size": 12, "timeout": 10}} if env_bool("DATABASE_POOL") else {}
    )
    if "role" in query:
        options["assume_role"] = query["role"]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": options,
    }


def is_loopback(host: str) -> bool:
    """Whether an address to listen on, or a host of a URL, can only be reached from this machine."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def local_folder() -> Path:
    """Return the folder with a checkout's data, logs and secrets."""
    return Path(env_str("STAMTAFEL_LOCAL_DIR", str(Path(__file__).resolve().parent.parent / ".local")))


def load_file(path: Path) -> None:
    """Set variables that are not set yet from NAME=value lines, as in systemd's EnvironmentFile.

    So `manage.py` in a second terminal reaches the databases that `script/server` started in the first.
    """
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() and not name.lstrip().startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())
