"""Who follows whom: to look at, and to undo."""

from django.contrib import admin

from ledger.admin import UnwrittenAdmin
from people.models import Follow


@admin.register(Follow)
class FollowAdmin(UnwrittenAdmin):
    list_display = ("follower", "followed", "since")
    list_select_related = ("follower", "followed")
    search_fields = ("follower__handle", "follower__display_name", "followed__handle", "followed__display_name")
    date_hierarchy = "since"
