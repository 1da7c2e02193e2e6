"""Who follows whom: to look at, and to undo."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from people.models import Follow


@admin.register(Follow)
class FollowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("follower", "followed", "since")
    list_select_related = ("follower", "followed")
    search_fields = ("follower__handle", "follower__display_name", "followed__handle", "followed__display_name")
    date_hierarchy = "since"
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
