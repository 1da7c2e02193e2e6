"""The API's shapes for people."""

from typing import Any

from rest_framework import serializers

from core.api.fields import TypedField
from core.text import ABOUT, NAME, PLAN
from people.models import User
from people.zones import is_zone


class PersonSerializer(serializers.Serializer[Any]):
    """What everybody may know of a person."""

    handle = serializers.CharField()
    name = serializers.CharField(source="display_name")
    about = serializers.CharField()
    picture = serializers.SerializerMethodField(help_text="Address of the picture; empty where there is none.")
    colour = serializers.CharField(help_text="Where there is no picture: initials on this colour.")
    followers = serializers.IntegerField(source="shown.followers")
    following = serializers.IntegerField(source="shown.following")
    followed_by_you = serializers.BooleanField(source="shown.followed_by_you")
    follows_you = serializers.BooleanField(source="shown.follows_you")
    live = serializers.URLField(source="shown.live", help_text="The room this person is live in; empty for none.")

    def get_picture(self, person: User) -> str:
        return person.picture_url


class MeSerializer(serializers.Serializer[Any]):
    """The own account."""

    handle = serializers.CharField(read_only=True)
    name = TypedField(source="display_name", text=NAME)
    about = TypedField(text=ABOUT, allow_blank=True)
    email = serializers.EmailField(read_only=True)
    picture = serializers.CharField(source="picture_url", read_only=True)
    language = serializers.ChoiceField(choices=["en", "nl"])
    time_zone = serializers.CharField(help_text="A name of the IANA database, such as Europe/Amsterdam.")
    may_host = serializers.BooleanField(read_only=True)

    def validate_time_zone(self, value: str) -> str:
        if not is_zone(value):
            raise serializers.ValidationError("Not a time zone of the IANA database.")
        return value


class ApplicationSerializer(serializers.Serializer[Any]):
    """Where one stands with the creator group."""

    state = serializers.ChoiceField(choices=["none", "waiting", "member"])
    plan = serializers.CharField()
    number = serializers.IntegerField(allow_null=True, help_text="The place in the queue, from 1.")
    of = serializers.IntegerField(allow_null=True, help_text="How many wait.")


class AskSerializer(serializers.Serializer[Any]):
    plan = TypedField(text=PLAN, help_text="What one plans to host, in two or three sentences.")
