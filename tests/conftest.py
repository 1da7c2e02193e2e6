"""Fixtures for all tests: the database with the site's rights, an empty Redis, the site's real processes."""

import gc
import os
import shutil
from collections.abc import Generator
from contextlib import nullcontext
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import close_old_connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase
from django.test.utils import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as properties
from psycopg.errors import DeadlockDetected
from pytest_django import DjangoDbBlocker

from deploy.local.throwaway import Throwaway
from tests.support import migrated, tables
from tests.support.processes import LogTail, Site, kept_redis, silence
from tests.support.services import services as running_services

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from tests.e2e.browser import Chromium
    from tests.e2e.driver import Driver

gc.disable()  # until all tests are loaded: there is next to no garbage in that

# Property tests may share two cores with browsers and Whisper: none of them is about time.
properties.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
properties.load_profile("shared machine")


# Pages that tests render in their own process name static files as they lie: nothing needs to be collected and hashed.
# Nor are they served there: WhiteNoise would look at every file once for each test client.
PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
COLLECTED = settings.STORAGES["staticfiles"]


def pytest_configure() -> None:
    settings.STORAGES = {**settings.STORAGES, "staticfiles": PLAIN}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]
    # Else each call out of an event loop has a connection of its own, which costs as much as eighty small statements.
    # One that broke is found before it is used.
    settings.DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    BaseDatabaseWrapper.get_autocommit = autocommit_of  # type: ignore[assignment, method-assign]


def autocommit_of(connected: BaseDatabaseWrapper) -> bool:
    """Django's own, but that a connection which is there may be looked at by a test that may not ask for one: it is
    kept from the tests before."""
    if connected.connection is None:
        connected.ensure_connection()
    return connected.autocommit


def pytest_runtest_setup() -> None:
    """Statements that tests before have counted would fill the log of a connection that is kept: it ends at 9,000."""
    reset_queries()


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: no collection of garbage has to look at them. What tests leave is collected in
    larger heaps than a site's, which has to answer meanwhile."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files as production serves them, joined, hashed and compressed, for the site's processes.

    Workers of one run share them: the first one collects, the others copy.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent / "static" if is_worker else None
    with shared.with_suffix(".lock").open("w") if shared else nullcontext() as lock:
        if lock:
            flock(lock, LOCK_EX)
        if shared and shared.exists():
            shutil.copytree(shared, settings.STATIC_ROOT, dirs_exist_ok=True)
            return
        with override_settings(STORAGES={**settings.STORAGES, "staticfiles": COLLECTED}):
            call_command("collectstatic", "--no-input", "--verbosity", "0")
        if shared:
            shutil.copytree(settings.STATIC_ROOT, shared)


@pytest.fixture(scope="session")
def services() -> Throwaway:
    """The PostgreSQL, Redis and Janus of this process, for tests that kill and restart them."""
    return running_services()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tables in the private database, made by the migrator as script/server does it; tests run as the site's role."""
    with django_db_blocker.unblock():
        migrated.migrate()
    tables.remember()


@pytest.fixture(autouse=True, scope="session")
def _tables_are_reset() -> Generator[None]:
    """In place of Django's flush after each test that commits."""

    def teardown(_case: TransactionTestCase) -> None:
        close_old_connections()  # else the next test would not ask whether one lives
        for attempt in range(3):
            try:
                return tables.reset()
            except DeadlockDetected:  # with what a process of the shared site is doing
                if attempt == 2:
                    raise
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        # Django would make the connection anew: here every test takes back what it sets on it.
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _case: False)
        yield


@pytest.fixture(autouse=True)
def _clean_slate(request: pytest.FixtureRequest) -> Generator[None]:
    """Nothing of one test is left in Redis, the mailbox, pictures or recordings for the next."""
    from rooms.recording import marker
    from tests.support.shared_site import end_shared_site, is_in_use

    names = set(request.fixturenames)
    if "site" in names or not names & {"lent_site", "web"}:
        end_shared_site(but_for=None if names & {"site", "services"} else request.path)
    yield
    marker.forget()
    if (Path(settings.RECORDINGS_DIR) / marker.NAME).exists():
        # The row of a process that outlived its test is committed: without its file the next test's processes refuse.
        tables.run("DELETE FROM rooms_recordingsfolder")
    kept_redis().flushall()
    kept = (settings.MEDIA_ROOT, settings.RECORDINGS_DIR, settings.OUTSIDE_DIR, settings.OWN_DATA_DIR)
    for folder in (settings.MAIL_FOLDER, *kept):
        for path in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)  # the shared site may be at it, too
            elif not is_in_use(path):
                path.unlink(missing_ok=True)


@pytest.fixture(autouse=True, scope="session")
def _end_shared_site() -> Generator[None]:
    from tests.support.shared_site import end_shared_site

    yield
    end_shared_site()


@pytest.fixture
def lent_site(request: pytest.FixtureRequest, static_files: None, transactional_db: None) -> Generator[Site]:
    """Web, media and work of the site that tests share: see `tests.support.shared_site` for what it may be used for."""
    from tests.support.shared_site import shared_site

    site = shared_site("web", "media", "work", file=request.path)
    yield site
    site.take_back()


@pytest.fixture
def web(request: pytest.FixtureRequest, static_files: None, transactional_db: None) -> Generator[Site]:
    """Daphne, as in production, shared by tests. Whatever one does to it, nothing in its log may be a failure of
    ours."""
    from tests.support.shared_site import shared_site

    names = ("web", "media") if "live_sound" in request.fixturenames else ("web",)
    site = shared_site(*names, file=request.path)
    log = LogTail(site.log("web"))
    yield site
    site.take_back()
    log.assert_no_failure()


@pytest.fixture
def live_sound(web: Site) -> Site:
    """`web` with a supervisor beside it, which such tests share: live rooms have sound."""
    return web


@pytest.fixture
def site(transactional_db: None) -> Generator[Site]:
    """The site's real processes, started as a test asks for them: `site.start("web", "media", "work", "beat")`."""
    site = Site(running_services().folder / "log")
    yield site
    site.stop()
    silence(site)


# --- real Chromium, on files as production serves them: hashed and compressed -----------------------------------------


@pytest.fixture(scope="session")
def driver() -> Generator["Driver"]:
    """Playwright, and the browser that all tests without a microphone share."""
    from tests.e2e.driver import running_driver

    with running_driver() as driver:
        yield driver


@pytest.fixture(scope="module")
def playwright(driver: "Driver") -> Generator["Playwright"]:
    with driver.at_work():
        # Within its loop Django has connections of their own: PostgreSQL may have ended since they were used last.
        close_old_connections()
        yield driver.playwright


@pytest.fixture
def chromium(playwright: "Playwright", driver: "Driver", web: Site) -> Generator["Chromium"]:
    """Browsers by the person who sits before them. What a page complains of in its console fails the test."""
    from tests.e2e.browser import Chromium

    browsers = Chromium(playwright, web.url, driver.plain)
    yield browsers
    browsers.close()
    assert not browsers.complaints, "\n".join(browsers.complaints)
