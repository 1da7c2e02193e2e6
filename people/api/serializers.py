"""Serializers of people."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from core.api.fields import TypedField
from core.text import ABOUT, NAME, PLAN
from people.models import User
from people.zones import is_zone


class MeSerializer(serializers.Serializer[Any]):
    """The own account."""

    handle = serializers.CharField(read_only=True)
    name = TypedField(source="display_name", text=NAME)
    about = TypedField(text=ABOUT, allow_blank=True)
    email = serializers.EmailField(read_only=True)
    picture = serializers.CharField(source="picture_url", read_only=True)
    language = serializers.ChoiceField(choices=settings.LANGUAGES)
    time_zone = serializers.CharField(help_text="A name of the IANA database, such as Europe/Amsterdam.")
    messages_from = serializers.ChoiceField(
        choices=User.MessagesFrom.choices, help_text="Who may write to you; `known`: people you follow or know."
    )
    invitations_by_mail = serializers.BooleanField()
    listens_unseen = serializers.BooleanField(help_text="Unless you choose otherwise in a room.")
    uses_keys = serializers.BooleanField(help_text="Single keys do acts in a room.")
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
