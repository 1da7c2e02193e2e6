"""URL converter of threads; importing this module registers it."""

from django.urls import register_converter

from people.converters import HandleConverter

OFFICIAL = "official"  # what stands in the address of official messages in place of a handle


class WriterConverter(HandleConverter):
    """A handle in the address of a thread. Somebody whose handle is `official` keeps its @."""

    def to_url(self, value: str) -> str:
        return f"@{value}" if value.lower() == OFFICIAL else value


register_converter(WriterConverter, "writer")
