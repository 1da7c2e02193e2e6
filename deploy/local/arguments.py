"""Arguments of script/server. Needs only Python, so that bad values are refused before anything is installed."""

import argparse
import os
import re
import sys
from dataclasses import dataclass

from config.env import ImproperlyConfigured, env_bool, env_int, env_str, env_url, is_loopback, refuse

DEFAULT_PORT = 8000
HELP = """
environment:
  PORT            where the pages are (default: 8000, or the next free port)
  HOST            the address to listen on (default: 127.0.0.1; with --https: 0.0.0.0)
  DATABASE_URL    your own PostgreSQL, for example postgresql://user:password@127.0.0.1:5432/stamtafel
                  (default: a private one for this checkout)
  REDIS_URL       your own Redis, for example redis://127.0.0.1:6379/0 (default: a private one)
  MEDIA_ADDRESS   the address of this machine on which sound is offered (default: the default route's)
  NAT_1_1         the public address where this machine stands behind NAT
  WHISPER_MODEL   tiny.en, base … (default: base); WHISPER_MODEL_DIR: where weights are kept
  MIGRATIONS_DATABASE_URL
                  the role that changes the tables of your own PostgreSQL, where that is another one than the site's
                  (deploy/postgres/roles.sql makes them; …/stamtafel?role=stamtafel_owner)
  DEBUG           true or false (default: false); true only where nobody else reaches the site
  DEV_KEY         opens /dev/, the start page with demo accounts, codes and mails (default: this checkout's own)
  STATIC_FILES    collected or source: source shows changes to style and script at once (default: collected)
  All others stand in config/settings.py.

Data, logs and secrets of this checkout are in .local/, which is closed to other users.
Supported systems: Debian 12 and Ubuntu 24.04.
"""


@dataclass(frozen=True)
class Arguments:
    """Options and environment of script/server, parsed."""

    https: bool
    port: int
    port_given: bool
    host: str
    database_url: str
    redis_url: str
    restored: str = ""  # why a backup of the database was put back


def is_host(value: str) -> bool:
    """Whether a value may be an address to listen on."""
    return re.fullmatch(r"[0-9A-Za-z.:-]+", value) is not None


def parse(words: list[str]) -> Arguments:
    """Read the command line and the environment. Raises ImproperlyConfigured with what to write."""
    parser = argparse.ArgumentParser(
        prog="script/server",
        description="Install what is missing, start everything, stop all of it with Ctrl-C.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--https",
        action="store_true",
        help="with a certificate of our own: a phone opens its microphone only then",
    )
    parser.add_argument(
        "--restored",
        metavar="WHY",
        default="",
        help="say that a backup of the database was put back, in a sentence: nothing starts on one before",
    )
    chosen = parser.parse_args(words)
    env_url("MIGRATIONS_DATABASE_URL", "", ("postgresql", "postgres"))
    asked = Arguments(
        https=chosen.https,
        port=env_int("PORT", DEFAULT_PORT, 1, 65535),
        port_given=bool(env_str("PORT")),
        host=env_str(
            "HOST",
            "0.0.0.0" if chosen.https else "127.0.0.1",
            check=is_host,
            write="an address to listen on, for example HOST=127.0.0.1",
        ),
        database_url=env_url(
            "DATABASE_URL", "", ("postgresql", "postgres"), "postgresql://user:password@127.0.0.1:5432/stamtafel"
        ),
        redis_url=env_url("REDIS_URL", "", ("redis", "rediss", "unix"), "redis://127.0.0.1:6379/0"),
        restored=chosen.restored.strip(),
    )
    if env_bool("DEBUG") and (asked.https or not is_loopback(asked.host)):
        write = f"false: others reach {asked.host}, and DEBUG shows them what is inside"
        raise refuse("DEBUG", os.environ["DEBUG"], write)
    return asked


if __name__ == "__main__":
    try:
        parse(sys.argv[1:])
    except ImproperlyConfigured as error:
        sys.exit(f"script/server: {error}")
    if os.environ.get("STAMTAFEL_LOCAL_DIR"):
        sys.exit("script/server: STAMTAFEL_LOCAL_DIR is set: unset it, a checkout keeps its data in .local/")
