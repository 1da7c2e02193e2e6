"""Signing up and in: our changes to django-allauth."""

from core.text import isolated
from people.models import User


def display(user: User) -> str:
    """Return the name by which allauth's pages and mails address a person."""
    return isolated(user.display_name)
