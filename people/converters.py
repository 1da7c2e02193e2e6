"""Parts of addresses. Importing this makes them known."""

from django.urls import register_converter


class HandleConverter:
    """A handle, in whatever capitals; who it is, is looked up by the view."""

    regex = "[A-Za-z0-9_-]{3,30}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(HandleConverter, "handle")
