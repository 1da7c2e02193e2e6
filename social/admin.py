"""Follows in the admin: to read, and to delete."""

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.bases import NoFormAdmin
from people.actions.standing_change import standing_changed
from social.models import Follow


@admin.register(Follow)
class FollowAdmin(NoFormAdmin):
    list_display = ("follower", "followed", "since")
    list_select_related = ("follower", "followed")
    search_fields = ("follower__handle", "follower__display_name", "followed__handle", "followed__display_name")
    date_hierarchy = "since"

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Follow) -> None:
        """Delete as if the follower had unfollowed: access to rooms for followers is checked again."""
        super().delete_model(request, obj)
        standing_changed(obj.follower, "unfollowed")

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Follow]) -> None:
        for row in queryset.select_related("follower"):
            self.delete_model(request, row)
