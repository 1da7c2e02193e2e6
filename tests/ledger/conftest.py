"""Connections to the test database: with every right, and with those of the site."""

from collections.abc import Generator

import pytest

from tests.support import privileges
from tests.support.privileges import Connection


@pytest.fixture
def privileged(transactional_db: None) -> Generator[Connection]:
    """Somebody who broke into the database with every right, and switches the guards off."""
    with privileges.superuser() as connected:
        connected.execute("SET session_replication_role = 'replica'")
        yield connected


@pytest.fixture
def owner(transactional_db: None) -> Generator[Connection]:
    """The owner of the tables, who is stopped by nothing but triggers and constraints."""
    with privileges.owner() as connected:
        yield connected


@pytest.fixture
def site_role(transactional_db: None) -> Generator[Connection]:
    """The role that the site runs as: it reads and appends, and owns nothing."""
    with privileges.site_role() as connected:
        yield connected
