"""Permissions on a transcript. Pure: from a role of `rooms.rules.roles.role_in` to a refusal code, or None."""

HELPERS = frozenset({"host", "cohost"})
ON_STAGE = HELPERS | {"speaker"}


def may_read(role: str) -> str | None:
    """Allow the host, co-hosts at the room's end and speakers; others get not_found, as if there were none."""
    return None if role in ON_STAGE else "not_found"


def may_read_own(role: str, *, has_lines: bool) -> str | None:
    """Allow a person to read their own lines, also without the right to read the rest."""
    return None if has_lines else may_read(role)


def may_correct(role: str) -> str | None:
    """Allow the host and those who were co-hosts at the room's end; others get not_host."""
    return None if role in HELPERS else "not_host"
