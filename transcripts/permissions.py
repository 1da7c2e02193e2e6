"""Rules of a transcript. Pure: `role` is as in `rooms.rules.roles.role_in`. Answers a code or None."""

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}


def may_read(role: str) -> str | None:
    """The host, co-hosts at the room's end and whose voice is in it. Others do not learn that it is there."""
    return None if role in ON_STAGE else "not_found"


def may_read_own(role: str, *, has_lines: bool) -> str | None:
    """A person's own lines stay readable to that person, whatever became of the right to the rest."""
    return None if has_lines else may_read(role)


def may_correct(role: str) -> str | None:
    """The host, and who is a co-host at the room's end."""
    return None if role in HELPERS else "not_host"
