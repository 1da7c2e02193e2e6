"""The measure “picture removed”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.profiles import ProfileMeasure
from people.actions.takedowns import take_down_picture


class Picture(ProfileMeasure):
    """The account's picture is removed, and no other can be chosen meanwhile."""

    key = "picture"
    title = _("Picture removed")
    take_down = staticmethod(take_down_picture)
