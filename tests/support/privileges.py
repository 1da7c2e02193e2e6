"""Connections to the test database with more rights than the site's role has, each under its own name."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

import psycopg

from config.env import env_database
from deploy.local.postgres import OWNER, Postgres
from tests.support.services import services

Connection = psycopg.Connection[tuple[Any, ...]]


def superuser() -> Connection:
    """Every right: what somebody has who broke into the database server. Each statement its own transaction."""
    return psycopg.connect(services().instance.postgres.superuser_url, autocommit=True)


def owner() -> Connection:
    """The role that owns schemas, tables and functions, as the migrator becomes it."""
    connected = psycopg.connect(services().instance.postgres.migrations_url.partition("?")[0], autocommit=True)
    connected.execute(f"SET ROLE {OWNER}")
    return connected


def site_role() -> Connection:
    """The role that the site runs as, on a connection of its own."""
    return psycopg.connect(services().instance.postgres.url, autocommit=True)


def migrations_database(postgres: Postgres | None = None) -> dict[str, Any]:
    """Return the database settings for MIGRATIONS_DATABASE_URL."""
    url = (postgres or services().instance.postgres).migrations_url
    with mock.patch.dict(os.environ, {"MIGRATIONS_DATABASE_URL": url}):
        return env_database("MIGRATIONS_DATABASE_URL")
