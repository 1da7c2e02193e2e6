"""Who is in a room: an account, or somebody who only listens and is told apart by a signed cookie.

Pages and WebSockets read the same two cookies, so that one browser is one person in every count.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, parse_cookie
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language_from_request

from people.sessions import SessionStore
from rooms.presence import user_key

if TYPE_CHECKING:
    from people.models import User

COOKIE = "stamtafel_listener"
COOKIE_DAYS = 30
_SIGNER_SALT = "rooms.listener"
PAGE = re.compile(r"[A-Za-z0-9-]{8,36}")


@dataclass(frozen=True)
class Who:
    """A person in a room. `key` is "u:<pk>" for an account and "a:<random>" for an anonymous listener."""

    user: User | None
    key: str
    session: str = ""  # the ident of the session that the account came by; empty for a token, and for nobody

    @property
    def handle(self) -> str | None:
        return self.user.handle if self.user else None

    @classmethod
    def of_user(cls, user: User, session: str = "") -> Who:
        return cls(user, user_key(user.pk), session)


def user_pk_of(key: str) -> int | None:
    """The account behind a key; None for an anonymous listener's."""
    kind, _colon, number = key.partition(":")
    return int(number) if kind == "u" and number.isdecimal() else None


def new_conn(session: str, page: str = "") -> str:
    """A name for one connection that tells its session, with which it ends, and its page.

    A page names itself in the socket's address: it keeps its name when it connects again. What names none, or in
    a way that no page of ours does, is a page of its own.
    """
    named = page if PAGE.fullmatch(page) else secrets.token_hex(8)
    return f"{session}.{named}.{secrets.token_hex(8)}"


def session_of(conn: str) -> str:
    """The session behind a connection's name."""
    return conn.partition(".")[0] if "." in conn else ""


def page_of(conn: str) -> str:
    """The page behind a connection's name; empty where the name tells none."""
    parts = conn.split(".")
    return parts[1] if len(parts) == 3 else ""


def sign(key: str) -> str:
    """The cookie for an anonymous key."""
    return signing.TimestampSigner(salt=_SIGNER_SALT).sign(key)


def unsign(cookie: str | None) -> str | None:
    """The anonymous key of a cookie that we signed and that is not too old; None for anything else."""
    if not cookie:
        return None
    try:
        key = signing.TimestampSigner(salt=_SIGNER_SALT).unsign(cookie, max_age=COOKIE_DAYS * 86400)
    except signing.BadSignature:
        return None
    return key if key.startswith("a:") else None


def new_key() -> str:
    return f"a:{secrets.token_urlsafe(12)}"


def who_of_request(request: HttpRequest) -> Who:
    """Who asks for this page; `ListenerMiddleware` has given anonymous people a key on room pages."""
    if request.user.is_authenticated:
        return Who.of_user(request.user)
    key = getattr(request, "listener_key", None) or unsign(request.COOKIES.get(COOKIE)) or new_key()
    return Who(None, key)


class ListenerMiddleware(MiddlewareMixin):
    """Gives who opens a room's page signed out a key of their own, so that their WebSocket and sound know them."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith("/r/") or request.user.is_authenticated:
            return
        known = unsign(request.COOKIES.get(COOKIE))
        request.listener_key = known or new_key()  # type: ignore[attr-defined]
        request.listener_new = known is None  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if getattr(request, "listener_new", False) and response.status_code < 400:
            response.set_cookie(
                COOKIE,
                sign(request.listener_key),  # type: ignore[attr-defined]
                max_age=COOKIE_DAYS * 86400,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


# --- the same for a WebSocket's handshake ----------------------------------------------------------------------------


def one_cookie_header(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers with all cookies in one: a browser may send each in a header of its own, and Django's handler would
    put a comma between them."""
    found = list(headers)
    cookies = [text.rstrip(b"; ") for name, text in found if name.lower() == b"cookie"]
    others = [(name, text) for name, text in found if name.lower() != b"cookie"]
    return [*others, (b"cookie", b"; ".join(cookies))] if cookies else found


def headers_of(scope: dict[str, Any]) -> dict[str, str]:
    """The handshake's headers by lower-case name; several of one name with a comma between, as pages read them."""
    found: dict[str, str] = {}
    for raw, value in one_cookie_header(scope.get("headers", [])):
        name, text = raw.decode("latin1").lower(), value.decode("latin1")
        found[name] = f"{found[name]},{text}" if name in found else text
    return found


def origin_allowed(headers: dict[str, str]) -> bool:
    """Is the page that opens this socket ours? Its origin names the host it connects to, or is trusted by settings.

    A handshake without an origin is refused: browsers always send one, and our own programs do as browsers do.
    """
    origin = headers.get("origin", "")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    trusted = {settings.SITE_URL.rstrip("/"), *settings.CSRF_TRUSTED_ORIGINS}
    if f"{parts.scheme}://{parts.netloc}" in trusted:
        return True
    return parts.netloc == headers.get("host") and _host_allowed(parts.hostname or "")


def _host_allowed(host: str) -> bool:
    from django.http.request import validate_host

    return validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS)


def cookies_of(headers: dict[str, str]) -> dict[str, str]:
    """The handshake's cookies, read as Django reads those of pages; without those that have control characters."""
    found = parse_cookie(headers.get("cookie", ""))
    return {name: value for name, value in found.items() if value.isprintable()}


def who_of_cookies(cookies: dict[str, str]) -> Who:
    """Who opens this socket, by session or by listener's cookie. Reads the database when there is a session."""
    if session_key := cookies.get(settings.SESSION_COOKIE_NAME):
        store = SessionStore(session_key)
        user = auth.get_user(cast(Any, SimpleNamespace(session=store)))
        if user.is_authenticated and user.is_active:
            return Who.of_user(user, store.ident)
    return Who(None, unsign(cookies.get(COOKIE)) or new_key())


def language_of(headers: dict[str, str], cookies: dict[str, str], who: Who) -> str:
    """The language in which this socket is refused."""
    if who.user is not None and who.user.language:
        return who.user.language
    meta = {"HTTP_ACCEPT_LANGUAGE": headers.get("accept-language", "")}
    return get_language_from_request(cast(Any, SimpleNamespace(COOKIES=cookies, META=meta, path_info="/")))
