"""Identities of people in a room: accounts, and anonymous listeners that a signed cookie distinguishes.

Pages and WebSockets read the same two cookies, so that one browser is one person in every count.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, parse_cookie
from django.utils.crypto import salted_hmac
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language_from_request

from people.session_person import SignedIn, signed_in_by_many
from people.standing import NOBODY, Standing
from rooms.presence import user_key

if TYPE_CHECKING:
    from people.models import User

COOKIE = "stamtafel_listener"
COOKIE_DAYS = 30
_SIGNER_SALT = "rooms.listener"
_MAC_SALT = "rooms.removed_listener"
STAFF_MARK = ".staff"  # ends the name of a connection; no page's name has a dot
PAGE = re.compile(r"[A-Za-z0-9-]{8,36}")


@dataclass(frozen=True)
class Who:
    """A person in a room. `key` is "u:<pk>" for an account and "a:<random>" for an anonymous listener."""

    user: User | None
    key: str
    session: str = ""  # ident of the session that signed the account in; empty for an API token and anonymous people
    listener: str = ""  # of an account: the anonymous key that its browser sent along; empty where it sent none

    @property
    def handle(self) -> str | None:
        return self.user.handle if self.user else None

    @classmethod
    def of_user(cls, user: User, session: str = "", listener: str = "") -> Who:
        return cls(user, user_key(user.pk), session, listener)


def user_pk_of(key: str) -> int | None:
    """Primary key of the account in a person's key; None for an anonymous listener."""
    kind, _colon, number = key.partition(":")
    return int(number) if kind == "u" and number.isdecimal() else None


def new_conn(session: str, page: str = "", *, as_staff: bool = False) -> str:
    """Make the name of a connection: session, page, a random part and whether its rights are those of staff. The
    connection ends with that session.

    A page gives its name in the socket's address and keeps it when it reconnects. A missing or malformed name is
    replaced by a random one.
    """
    named = page if PAGE.fullmatch(page) else secrets.token_hex(8)
    return f"{session}.{named}.{secrets.token_hex(8)}{STAFF_MARK if as_staff else ''}"


def is_staff_conn(conn: str) -> bool:
    """Whether a connection was opened as staff: it has other rights than its person as a guest, and is in no count."""
    return conn.endswith(STAFF_MARK)


def session_of(conn: str) -> str:
    """Session in a connection's name; empty where there is none."""
    return conn.partition(".")[0] if "." in conn else ""


def page_of(conn: str) -> str:
    """Page in a connection's name; empty where there is none."""
    parts = conn.split(".")
    return parts[1] if len(parts) in (3, 4) else ""


def sign(key: str) -> str:
    """Sign an anonymous key for use as a cookie."""
    return signing.TimestampSigner(salt=_SIGNER_SALT).sign(key)


def unsign(cookie: str | None) -> str | None:
    """Anonymous key in a cookie that was signed here at most COOKIE_DAYS ago; None for anything else."""
    if not cookie:
        return None
    try:
        key = signing.TimestampSigner(salt=_SIGNER_SALT).unsign(cookie, max_age=COOKIE_DAYS * 86400)
    except signing.BadSignature:
        return None
    return key if key.startswith("a:") else None


def listener_mac(room_pk: int, key: str) -> str:
    """HMAC of an anonymous key in one room (64 hex digits): cookies of two rooms cannot be matched by it."""
    return salted_hmac(_MAC_SALT, f"{room_pk}:{key}", algorithm="sha256").hexdigest()


def new_key() -> str:
    """Make the key of a new anonymous listener."""
    return f"a:{secrets.token_urlsafe(12)}"


def who_of_request(request: HttpRequest) -> Who:
    """Identity behind a request; on room pages `ListenerMiddleware` has given anonymous people a key."""
    if request.user.is_authenticated:
        return Who.of_user(request.user, listener=unsign(request.COOKIES.get(COOKIE)) or "")
    key = getattr(request, "listener_key", None) or unsign(request.COOKIES.get(COOKIE)) or new_key()
    return Who(None, key)


class ListenerMiddleware(MiddlewareMixin):
    """Give anonymous visitors of a room's page a key of their own, which their WebSocket and their sound share."""

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
    """Merge all cookie headers into one: a browser may send each cookie in a header of its own, which Django's handler
    would join with commas."""
    given = list(headers)
    cookies = [text.rstrip(b"; ") for name, text in given if name.lower() == b"cookie"]
    others = [(name, text) for name, text in given if name.lower() != b"cookie"]
    return [*others, (b"cookie", b"; ".join(cookies))] if cookies else given


def headers_of(scope: dict[str, Any]) -> dict[str, str]:
    """Headers of a handshake by lower-case name; several of one name are joined with commas, as Django does."""
    headers: dict[str, str] = {}
    for raw, value in one_cookie_header(scope.get("headers", [])):
        name, text = raw.decode("latin1").lower(), value.decode("latin1")
        headers[name] = f"{headers[name]},{text}" if name in headers else text
    return headers


def origin_allowed(headers: dict[str, str]) -> bool:
    """Whether a page of this site opens the socket: its origin is the host it connects to, or trusted by settings.

    A handshake without an origin is refused: browsers always send one, and so do our own clients.
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
    """Cookies of a handshake, parsed as Django does; those with control characters are left out."""
    cookies = parse_cookie(headers.get("cookie", ""))
    return {name: value for name, value in cookies.items() if value.isprintable()}


def who_of_cookies(cookies: dict[str, str]) -> Who:
    """Identity behind a handshake, by session or listener's cookie. One query when there is a session."""
    return arrival_of_cookies(cookies)[0]


def arrival_of_cookies(cookies: dict[str, str]) -> tuple[Who, Standing]:
    """`who_of_cookies` with the standing of the account, which is read in the same query."""
    return arrivals_of_cookies([cookies])[0]


def arrivals_of_cookies(browsers: Sequence[dict[str, str]]) -> list[tuple[Who, Standing]]:
    """`arrival_of_cookies` for many browsers, in their order: one query for all of them."""
    keys = [cookies.get(settings.SESSION_COOKIE_NAME, "") for cookies in browsers]
    signed_in = signed_in_by_many({key for key in keys if key}) if any(keys) else {}
    return [_arrival(cookies, signed_in.get(key)) for cookies, key in zip(browsers, keys, strict=True)]


def _arrival(cookies: dict[str, str], signed_in: SignedIn | None) -> tuple[Who, Standing]:
    if signed_in is None:
        return nobody_of_cookies(cookies), NOBODY
    who = Who.of_user(signed_in.user, signed_in.ident, unsign(cookies.get(COOKIE)) or "")
    return who, signed_in.standing


def nobody_of_cookies(cookies: dict[str, str]) -> Who:
    """Identity behind a handshake without a session: by listener's cookie, or a new one. No query."""
    return Who(None, unsign(cookies.get(COOKIE)) or new_key())


def language_of(headers: dict[str, str], cookies: dict[str, str], who: Who) -> str:
    """Language of the refusals that this socket gets."""
    if who.user is not None and who.user.language:
        return who.user.language
    meta = {"HTTP_ACCEPT_LANGUAGE": headers.get("accept-language", "")}
    return get_language_from_request(cast(Any, SimpleNamespace(COOKIES=cookies, META=meta, path_info="/")))
