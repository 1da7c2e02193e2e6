"""Text that people show to others: one line, nothing invisible in it."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Joiners that scripts and emoji need; every other control or direction character can fake a name.
ALLOWED = {"\u200c", "\u200d"}


def visible(value: str) -> None:
    """A validator: refuses control characters and text without anything to see."""
    for letter in value:
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and letter not in ALLOWED:
            raise ValidationError(_("Leave out invisible characters: they make a text read as another."), "invisible")
    if value and not any(unicodedata.category(letter)[0] in "LNSP" for letter in value):
        raise ValidationError(_("Write something that can be seen."), "invisible")
