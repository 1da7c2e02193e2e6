"""manage.py migrate: Django's own, as the tables' owner (MIGRATIONS_DATABASE_URL); then rights for the site's role."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate

from ledger import roles


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        alias = options["database"]
        with roles.as_migrator(alias) as connection:
            super().handle(*args, **options)
            if settings.MIGRATIONS_DATABASE:
                roles.grant(connection, settings.DATABASES[alias]["USER"])
