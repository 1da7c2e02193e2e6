"""The values of a report that is to be filed, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.exceptions import ValidationError

from core.text import Text
from mail.addresses import canonical_address, validate_sendable
from moderation.models import WORDS, Category
from moderation.models.reports import LAW, NAME
from moderation.refusals import ModerationRefused
from people.models import User
from rooms.models import Room

LONGEST_EMAIL = 254


@dataclass(frozen=True, kw_only=True)
class NewReport:
    """A report to be filed, as it was sent. `kind` is one of SubjectKind, `message` the key of a message, `from_ms` and
    `to_ms` a range of room time in milliseconds. Without a `reporter` there are name, e-mail and `language`. `address`
    is that of the client, as it is counted (`core.client_address`)."""

    kind: str
    category: str
    reporter: User | None = None
    name: str = ""
    email: str = ""
    language: str = ""
    room: Room | None = None
    subject: User | None = None
    message: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    words: str = ""
    law: str = ""
    good_faith: bool = False
    once: str = ""
    address: str = ""


@dataclass(frozen=True)
class Values:
    """Values of a report that are as they should be; the others are those of its subject."""

    category_id: str
    words: str
    law: str
    reporter_name: str
    reporter_email: str
    language: str
    route: str

    def columns(self) -> dict[str, str]:
        """Return the columns of the report."""
        return {name: value for name, value in asdict(self).items() if name != "route"}


def checked_values(new: NewReport) -> Values:
    """Clean the values of a report. Raises bad_value with a text for each that is wrong."""
    wrong: dict[str, str] = {}
    category = Category.objects.filter(pk=new.category, retired_at=None).first()
    if category is None:
        wrong["category"] = ", ".join(Category.objects.filter(retired_at=None).values_list("key", flat=True))
    route = category.route if category else ""
    signed_out = new.reporter is None
    named = signed_out and route != Category.Route.CHILD_SAFETY  # the law does not ask who reports child abuse

    def cleaned(field: str, clean: Callable[[], str]) -> str:
        try:
            return clean()
        except ValidationError as error:
            wrong[field] = " ".join(error.messages)
            return ""

    def typed(field: str, text: Text, value: str, required: bool) -> str:
        return cleaned(field, lambda: text.clean(value, required=required))

    words = typed("words", WORDS, new.words, signed_out or route == Category.Route.OTHER)
    law = typed("law", LAW, new.law, False)
    name = typed("name", NAME, new.name, named) if signed_out else ""
    email = cleaned("email", lambda: _address(new.email, required=named)) if signed_out else ""
    if not new.good_faith:
        wrong["good_faith"] = "true"
    if wrong:
        raise ModerationRefused("bad_value", wrong)
    return Values(new.category, words, law, name, email, _language(new), route)


def _address(address: str, *, required: bool) -> str:
    if not address.strip() and not required:
        return ""
    validate_sendable(address)
    canonical = canonical_address(address)
    if len(canonical) > LONGEST_EMAIL:
        raise ValidationError(f"1 – {LONGEST_EMAIL}")
    return canonical


def _language(new: NewReport) -> str:
    language = new.reporter.language if new.reporter else new.language.partition("-")[0]
    return language if language in dict(settings.LANGUAGES) else "en"
