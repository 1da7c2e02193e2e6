from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TranscriptsConfig(AppConfig):
    name = "transcripts"
    verbose_name = _("Transcripts")

    def ready(self) -> None:
        """Hear of finished recordings, and tell rooms whose words are known."""
        import transcripts.files.exports  # noqa: F401  (registers its texts)
        from rooms.hooks import recording_ready
        from rooms.rules import voice
        from transcripts.queries import has_lines

        voice.register(has_lines)

        recording_ready.connect(_recording_ready, dispatch_uid="transcripts")


def _recording_ready(recording: Any, **_more: Any) -> None:
    """A room's files lie ready: its transcript can be written."""
    from transcripts.actions import request_transcript

    request_transcript(recording)
