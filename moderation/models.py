"""Rooms as moderators see them."""

from django.utils.translation import gettext_lazy as _

from rooms.models import Room


class RoomClock(Room):
    """An ended room seen by its retention clock: the admin's list of what is kept, held and due."""

    class Meta:
        proxy = True
        # Moderators see when a copy goes and why; operators see how the site's parts are (/readyz).
        permissions = [("view_health", "Can see how the parts of the site are")]
        verbose_name = _("retention clock")
        verbose_name_plural = _("retention clocks")
