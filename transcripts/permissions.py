"""Who may do what with a transcript. Pure: `role` is what somebody is, or was, in the room. Answers a code or None."""

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}


def may_read(role: str) -> str | None:
    """The host, co-hosts, and everybody who was on stage."""
    return None if role in ON_STAGE else "not_allowed"


def may_correct(role: str) -> str | None:
    """The host and co-hosts."""
    return None if role in HELPERS else "not_host"
