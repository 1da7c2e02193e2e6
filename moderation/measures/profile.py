"""The measure “name and text of the profile removed”."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from moderation.measures.profiles import ProfileMeasure
from people.actions.takedowns import take_down_profile


class Profile(ProfileMeasure):
    """The account's name and text are removed; its handle is shown."""

    key = "profile"
    title = _("Name and text of the profile removed")
    take_down = staticmethod(take_down_profile)
