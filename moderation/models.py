"""Proxy models of trust and safety."""

from django.utils.translation import gettext_lazy as _

from rooms.models import Room


class RoomClock(Room):
    """Proxy of an ended room, for the admin's list of retention clocks: kept, held and due."""

    class Meta:
        proxy = True
        # `view_roomclock` (made by Django) is for moderators; `view_health` opens the details of /readyz to operators.
        permissions = [("view_health", "Can see how the parts of the site are")]
        verbose_name = _("retention clock")
        verbose_name_plural = _("retention clocks")
