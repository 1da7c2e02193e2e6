"""manage.py migrate: Django's, run as the tables' owner (MIGRATIONS_DATABASE_URL); then grants rights to the site's
role."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger import roles


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        alias = options["database"]
        with roles.as_migrator(alias) as connection:
            refuse_older_layout(connection)
            super().handle(*args, **options)
            if settings.MIGRATIONS_DATABASE:
                roles.grant(connection, settings.DATABASES[alias]["USER"])


def refuse_older_layout(connection: BaseDatabaseWrapper) -> None:
    """Raise CommandError for a database from before apps were split, whose tables and migrations have other names."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.people_mail') IS NOT NULL")
        if cursor.fetchone()[0]:
            raise CommandError(
                "This database was made by a development version whose tables had other names, and cannot be taken "
                "along. Delete .local/ (in production: the database, the recordings and OUTSIDE_DIR) and start anew."
            )
