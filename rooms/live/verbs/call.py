"""One call of a verb: who asks for what in which room, and the work that it may do in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.lines import LineFull, Lines
from core.threads import in_thread
from people.models import User
from people.sessions import alive
from rooms.models import Room
from rooms.rules import permissions
from rooms.rules.facts import facts_of_who
from rooms.rules.identity import Who, is_staff_conn, page_of
from rooms.rules.permissions import Facts
from rooms.rules.refusals import RoomRefused, refuse
from rooms.rules.staff import check_staff_listening

T = TypeVar("T")
_lines = Lines("VERBS_AT_ONCE", "VERBS_WAITING")


def _no_socket() -> None:
    raise RoomRefused("unknown_verb")


@dataclass(frozen=True)
class Call:
    """One frame of a socket, or one request of the API.

    `conn` is the name of the connection; empty for the API, where the request has proved who asks. `send_snapshot`
    has a fresh snapshot sent over the socket; `will_leave` notes that its page is left by the button.
    """

    room_pk: int
    who: Who
    conn: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    send_snapshot: Callable[[], None] = _no_socket
    will_leave: Callable[[], None] = _no_socket

    @property
    def counted(self) -> dict[str, str]:
        """Keys under which the media supervisor counts places for sound."""
        return {"counted": self.client_key, "address": self.address}

    @property
    def client_key(self) -> str:
        """The key under which a client is counted: the person, or the address where nobody is signed in."""
        return self.address if self.who.user is None and self.address else self.who.key

    @property
    def page(self) -> str | None:
        """The page that the socket belongs to; None for the API."""
        return page_of(self.conn) if self.conn else None

    @property
    def as_staff(self) -> bool:
        """Whether its socket listens in as staff."""
        return is_staff_conn(self.conn)

    def account(self) -> User:
        """The account as it is now. Raises not_signed_in when it was closed, or signed out, since the socket opened."""
        who = self.who
        user = None if who.user is None else User.objects.filter(pk=who.user.pk, is_active=True).first()
        if user is None or (self.conn and alive([who.session]).get(who.session) != user.pk):
            raise RoomRefused("not_signed_in")
        return user

    def account_if_any(self) -> User | None:
        """`account`, or None for somebody who never signed in."""
        return None if self.who.user is None else self.account()

    def facts(self) -> Facts:
        """Facts of the person as they are now. Raises not_signed_in as `account` does, unknown_room."""
        self.account_if_any()
        return facts_of_who(self.room(), self.who)

    def check_entry(self, *, live: bool) -> None:
        """Check that the person may be in the room now, as a guest or as staff; `live` also that it goes on. Raises
        the codes of entry."""
        if self.as_staff:
            check_staff_listening(self.room(), self.account(), self.who.session)
        else:
            facts = self.facts()
            refuse(permissions.may_take_part(facts) if live else permissions.may_enter(facts))

    def room(self) -> Room:
        """The room as it is now. Raises unknown_room."""
        room = Room.objects.filter(pk=self.room_pk).first()
        if room is None:
            raise RoomRefused("unknown_room")
        return room


async def in_turn(work: Callable[[Call], T], call: Call) -> T:
    """Run database work beside the event loop, in this client's turn: the threads are few. Raises `too_fast`."""
    try:
        async with _lines.turn(call.client_key):
            return await in_thread(work, call)
    except LineFull as error:
        raise RoomRefused("too_fast") from error
