"""What every test may ask for: the database without suffixes, an empty Redis, and the site's real processes."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
import redis
from django.conf import settings

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


@pytest.fixture(autouse=True)
def _clean_slate() -> Generator[None]:
    """Nothing of one test is left in Redis, the mailbox, pictures or recordings for the next."""
    yield
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
    for folder in (settings.MAIL_FOLDER, settings.MEDIA_ROOT, settings.RECORDINGS_DIR):
        for path in Path(folder).iterdir() if Path(folder).is_dir() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def site(transactional_db: None) -> Generator[Site]:
    """The site's real processes, started as a test asks for them: `site.start("web", "media", "work", "beat")`."""
    site = Site(running_services().folder / "log")
    yield site
    site.stop()
