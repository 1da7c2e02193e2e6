"""Serializers of people as others see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from people.models import User


class PersonSerializer(serializers.Serializer[Any]):
    """A person, as everybody may see them."""

    handle = serializers.CharField()
    name = serializers.CharField(source="display_name")
    about = serializers.CharField()
    picture = serializers.SerializerMethodField(help_text="Address of the picture; empty where there is none.")
    colour = serializers.CharField(help_text="Where there is no picture: initials on this colour.")
    followers = serializers.IntegerField(source="shown.followers")
    following = serializers.IntegerField(source="shown.following")
    followed_by_you = serializers.BooleanField(source="shown.followed_by_you")
    follows_you = serializers.BooleanField(source="shown.follows_you")
    blocked_by_you = serializers.BooleanField(source="shown.blocked_by_you")
    live = serializers.URLField(source="shown.live", help_text="The room this person is live in; empty for none.")

    def get_picture(self, person: User) -> str:
        return person.picture_url


class BlockSerializer(serializers.Serializer[Any]):
    """A person whom one blocked."""

    handle = serializers.CharField(source="blocked.handle")
    name = serializers.CharField(source="blocked.display_name")
    picture = serializers.CharField(source="blocked.picture_url")
    colour = serializers.CharField(source="blocked.colour")
    since = serializers.DateTimeField()


class BlocksSerializer(serializers.Serializer[Any]):
    """One's own blocks, the newest first, at most a thousand."""

    blocks = BlockSerializer(many=True)
