"""Where a person is live now. Rooms know that and stand above this app, so they register themselves here at start."""

from collections.abc import Callable
from dataclasses import dataclass

from people.models import User


@dataclass(frozen=True)
class LiveLink:
    """A room that may be shown to everybody."""

    url: str
    title: str


Finder = Callable[[User], LiveLink | None]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Called from an app's `ready`."""
    if finder not in _finders:
        _finders.append(finder)


def live_link(user: User) -> LiveLink | None:
    """The first that is found; None where nobody hears this person now."""
    return next((link for finder in _finders if (link := finder(user)) is not None), None)
