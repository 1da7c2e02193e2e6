"""The way in which a member of staff looked at the queue of cases last."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class QueueChoice(models.Model):
    """The filters of the queue that a person chose last, as the query of its address."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    query = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.query} of {self.user_id}"
