"""Real parts for a test run, loaded by pytest before Django's settings (`-p tests.support.services`, pyproject.toml).

Every process that runs tests (the only one, or each of pytest-xdist's workers) gets PostgreSQL, Redis and Janus of its
own, in a folder and on ports of its own. So nothing in them needs to be shared out, and neither two workers, nor two
runs, nor two checkouts meet. A part that is missing or does not start ends the run.
"""

import os
import sys
from collections.abc import Generator

import pytest

from deploy.local.process import CannotStart
from deploy.local.throwaway import Throwaway
from tests.support.weights import whisper_folder

# Everything the settings read from the environment: none of it may come in from the person's own shell.
FOREIGN = (
    "STAFF_SECOND_STEP_MINUTES",
    "STAFF_IDLE_MINUTES",
    "SIGN_IN_TRIES_ADDRESS",
    "SIGN_IN_TRIES_ACCOUNT",
    "SIGN_IN_TRIES",
    "SIGNUP_DAYS",
    "HANDLE_HELD_DAYS",
    "SESSION_DAYS",
    "PASSWORD_RESET_MINUTES",
    "API_TOKEN_DAYS",
    "ACCOUNT_MAILS_TO",
    "ACCOUNT_MAILS_BY",
    "ALLOWED_HOSTS",
    "ANSWER_LONGEST_SECONDS",
    "BEHIND_PROXY",
    "BODY_MOST_BYTES",
    "CAPTIONS_THREADS",
    "CONNECTIONS_PER_ADDRESS",
    "CONTACT_EMAIL",
    "CONTACT_FILE",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_POOL",
    "DEBUG",
    "DOWNLOADS_PER_ADDRESS",
    "DOWNLOADS_PER_PERSON",
    "DEV_KEY",
    "EMAIL_HOST",
    "FRAMES_AT_ONCE",
    "FRAMES_PER_CLIENT",
    "HANDSHAKES_AT_ONCE",
    "HANDSHAKES_WAITING",
    "HEAD_SECONDS",
    "HLS_PER_ADDRESS",
    "HSTS_SECONDS",
    "ICE_SERVERS",
    "IDLE_SECONDS",
    "MEDIA_CHECKS",
    "MEDIA_CHECKS_PER_ADDRESS",
    "MEDIA_ICE_SECONDS",
    "MEDIA_NEAR_LISTENERS",
    "MEDIA_NEAR_PER_ADDRESS",
    "MEDIA_NEAR_PER_PERSON",
    "MESSAGES_DAYS",
    "MIGRATIONS_DATABASE_URL",
    "MINIMUM_AGE",
    "REPORTS_PER_ADDRESS",
    "REPORTS_SIGNED_OUT_PER_ADDRESS",
    "REPORT_WORDS_DAYS",
    "NAT_1_1",
    "OPERATOR_NAME",
    "OUTSIDE_DIR",
    "OWN_DATA_DIR",
    "OWN_DATA_DAYS",
    "OWN_DATA_A_DAY",
    "PAGES_PER_ADDRESS",
    "PAGE_SOCKETS_PER_PERSON",
    "PAGES_PER_PERSON",
    "PICTURES_AT_ONCE",
    "PORT",
    "PRIVACY_FILE",
    "PICTURE_MAX_PIXELS",
    "RECORDINGS_RESERVE_MB",
    "RECORDING_DAYS",
    "RECORDING_DAYS_VIOLATION",
    "APPEAL_DUE_DAYS",
    "APPEAL_HOLD_DAYS",
    "REDIS_PREFIX",
    "REQUESTS_AT_ONCE",
    "REQUESTS_WAITING",
    "ROOM_EMPTY_STAGE_SECONDS",
    "ROOM_HAND_OVER_SECONDS",
    "ROOM_OVER_SECONDS",
    "ROOM_HOST_GRACE_SECONDS",
    "ROOM_INVITATIONS_OF_GUEST",
    "ROOM_INVITATIONS_OF_HOST",
    "ROOM_MAX_HANDS",
    "ROOM_MAX_SPEAKERS",
    "ROOM_OPEN_INVITATIONS",
    "SIGNUPS_PER_ADDRESS",
    "SITE_NAME",
    "SITE_URL",
    "SLOWEST_BYTES",
    "SLOWEST_SECONDS",
    "SOCKETS_NEW_PER_ADDRESS",
    "SOCKETS_PER_ADDRESS",
    "REACTIONS_PER_ADDRESS",
    "SOCKETS_PER_PERSON",
    "STATIC_FILES",
    "STUN_URLS",
    "TURN_SECONDS",
    "TURN_SECRET",
    "TURN_URLS",
    "VERBS_AT_ONCE",
    "VERBS_WAITING",
    "WHISPER_MODEL",
    "WINDOW_DIR",
    "X_ACCEL_REDIRECT",
)


# Compiled code is kept, whatever the person's own shell says: else every worker compiles all tests, and every process
# of the site all modules, on each start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_running: Throwaway | None = None


def services() -> Throwaway:
    """The parts of this process."""
    assert _running is not None, "the tests' own PostgreSQL, Redis and Janus are not running"
    return _running


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None]:
    """Start the parts before Django's settings are read; the process that only hands out tests needs none."""
    if not is_distributing(early_config):
        try:
            start()
        except CannotStart as error:
            raise pytest.UsageError(f"tests need real parts: {error}") from error
    else:
        os.environ.update(
            {"SECRET_KEY": "x" * 50, "LEDGER_KEY": "x" * 50, "DATABASE_URL": "postgresql://none:none@127.0.0.1:1/none"}
        )
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started, also after a failed or interrupted run."""
    global _running
    if _running is not None:
        _running.stop()
        _running = None


def is_distributing(config: pytest.Config) -> bool:
    """Whether this process only hands tests out to xdist's workers."""
    return "PYTEST_XDIST_WORKER" not in os.environ and bool(getattr(config.known_args_namespace, "numprocesses", None))


def start() -> None:
    """Start the parts, and make the environment lead to them and nowhere else."""
    global _running
    for name in FOREIGN:
        os.environ.pop(name, None)
    running = Throwaway()
    os.environ.update(running.start())
    block = running.instance.block
    os.environ.update(
        {
            "PORT": str(block.web),
            "SITE_URL": f"http://localhost:{block.web}",
            "WHISPER_MODEL_DIR": str(whisper_folder()),
            "RECORDINGS_RESERVE_MB": "16",  # what else is on this machine's disk is not what these tests are about
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        }
    )
    _running = running
