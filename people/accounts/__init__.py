"""How people get in: what the house changes in django-allauth."""

from core.text import isolated
from people.models import User


def display(user: User) -> str:
    """How allauth's pages and mails call a person."""
    return isolated(user.display_name)
