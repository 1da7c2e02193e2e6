"""What every test may ask for: the database without suffixes, an empty Redis, and the site's real processes."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations

from deploy.local.throwaway import Throwaway
from tests.processes import Site
from tests.services import services as running_services


@pytest.fixture(scope="session")
def services() -> Throwaway:
    """The PostgreSQL, Redis and Janus of this process, for tests that kill and restart them."""
    return running_services()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The server is ours alone: the test database bears the plain name, so that real processes reach it too."""
    default = settings.DATABASES["default"]
    default["TEST"] = {**default.get("TEST", {}), "NAME": default["NAME"]}


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Generator[None]:
    """Emptying the tables between tests must not stop at the guard of the ledger; this role is privileged enough."""
    with pytest.MonkeyPatch.context() as patch:
        flush = DatabaseOperations.sql_flush

        def past_guards(self: DatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
            return ["SET LOCAL session_replication_role = 'replica'", *flush(self, *args, **kwargs)]

        patch.setattr(DatabaseOperations, "sql_flush", past_guards)
        yield


@pytest.fixture(autouse=True)
def _clean_slate() -> Generator[None]:
    """Nothing of one test is left in Redis, the mailbox, pictures or recordings for the next."""
    yield
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
    for folder in (settings.MAIL_FOLDER, settings.MEDIA_ROOT, settings.RECORDINGS_DIR, settings.OUTSIDE_DIR):
        for path in Path(folder).iterdir() if Path(folder).is_dir() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def site(transactional_db: None) -> Generator[Site]:
    """The site's real processes, started as a test asks for them: `site.start("web", "media", "work", "beat")`."""
    site = Site(running_services().folder / "log")
    yield site
    site.stop()
