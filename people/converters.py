"""Parts of addresses. Importing this makes them known."""

from django.urls import register_converter

from people.handles import PATTERN


class HandleConverter:
    """A handle, in whatever capitals, with or without its @; the account is looked up by the view."""

    regex = f"@?{PATTERN}"

    def to_python(self, value: str) -> str:
        return value.removeprefix("@")

    def to_url(self, value: str) -> str:
        return value


register_converter(HandleConverter, "handle")
