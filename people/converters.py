"""URL converters; importing this module registers them."""

from django.urls import register_converter

from people.handles import PATTERN


class HandleConverter:
    """A handle in any capitals, with or without its @; the view looks the account up."""

    regex = f"@?{PATTERN}"

    def to_python(self, value: str) -> str:
        return value.removeprefix("@")

    def to_url(self, value: str) -> str:
        return value


register_converter(HandleConverter, "handle")
