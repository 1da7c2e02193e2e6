"""The person whose a signed link is, as of now."""

from __future__ import annotations

from people.models import User
from rooms.recording.delivery import links
from rooms.rules.identity import Who


def holder_of(link: links.Link, listener: str) -> Who | None:
    """The person of a link; None for a closed account, and where its credentials are not those of when the link was
    made: a new password ends the link. A link for everybody is for an anonymous person, whose key is `listener` where a
    cookie names it."""
    user = None if link.user is None else User.objects.filter(pk=link.user, is_active=True).first()
    if (link.user is not None and user is None) or link.since != links.credentials_stamp(user):
        return None
    return Who(None, listener) if user is None else Who.of_user(user)
