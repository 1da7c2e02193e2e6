"""What rooms tells those above it, who it must not know."""

from django.dispatch import Signal

# A room's recording is finished: its files stand in the database. Sent with `recording`, inside the transaction that
# made it ready; sent again when a recording is finished a second time.
recording_ready = Signal()
