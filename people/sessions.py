"""Django's SESSION_ENGINE: sessions in PostgreSQL, under a hash of the key that the browser holds.

A reader of the database or a backup learns no key that grants access. There is no cache in front: deleting a row ends
its session at once, in every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from people.models import Session

LETTERS = 40  # of the hash, in hex: 160 bits, which is also as long as Django's column


def stored_key(key: str) -> str:
    """Return the hash under which a session is stored. The key has 160 random bits, so no salt is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:LETTERS]


def alive(idents: Iterable[str], now: datetime | None = None) -> dict[str, int]:
    """Return ident → account of those sessions that are signed in and not over, in one query."""
    live = Session.objects.filter(expire_date__gt=now or timezone.now(), user__isnull=False)
    rows = live.filter(ident__one_of=list(set(idents)))
    return {ident: int(user_pk) for ident, user_pk in rows.values_list("ident", "user_id")}


class SessionStore(DatabaseStore):
    """One browser's session. `session_key` is what its cookie holds."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._ident = ""
        self.row: Session | None = None  # the row as it was read; None before that, or for a new session

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    @property
    def stored_key(self) -> str:
        """The primary key of this session's row; empty before it has one."""
        return stored_key(self.session_key) if self.session_key else ""

    @property
    def ident(self) -> str:
        """The public name of this session, for places where its key must not be; "" before it has a row."""
        if not self._ident:
            rows = Session.objects.filter(session_key=self.stored_key)
            self._ident = rows.values_list("ident", flat=True).first() or ""
        return self._ident

    def cycle_key(self) -> None:
        """Give the browser a new key for the same session: the row and its connections stay."""
        data, old = self._get_session(), self.stored_key  # type: ignore[attr-defined]  # not in Django's stubs
        key: str = self._get_new_session_key()  # type: ignore[attr-defined]
        begun = {} if SESSION_KEY in data else {"created_at": timezone.now()}  # a sign-in begins here
        if old and Session.objects.filter(session_key=old).update(session_key=stored_key(key), **begun):
            self._session_key = key
            self.modified = True
        else:
            self.create()
        self._session_cache = data

    def _get_session_from_db(self) -> Session | None:
        row = Session.objects.filter(session_key=self.stored_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
        else:
            self._ident = row.ident
        self.row = row
        return row

    async def _aget_session_from_db(self) -> Session | None:
        return await sync_to_async(self._get_session_from_db)()

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=stored_key(session_key)).exists()

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    def flush(self) -> None:
        """End this session and begin another, with a new key and ident."""
        super().flush()
        self._ident = ""

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        user = data.get(SESSION_KEY)
        return Session(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=None if user is None else int(user),
        )

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        return await sync_to_async(self.create_model_instance)(data)

    def save(self, must_create: bool = False) -> None:
        """Write the row. Raises CreateError for a key that exists, UpdateError for a session that was ended."""
        if self.session_key is None:
            self.create()
            return
        row = self.create_model_instance(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        changed = None if must_create else ["session_data", "expire_date", "user"]
        try:
            with transaction.atomic():
                row.save(force_insert=must_create, force_update=not must_create, update_fields=changed)
        except IntegrityError as error:
            if must_create:
                raise CreateError from error
            raise
        except DatabaseError as error:
            if not must_create:
                raise UpdateError from error
            raise

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=stored_key(key)).delete()

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
