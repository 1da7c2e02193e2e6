"""Record of the permissions that a role of staff was given."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models


class GrantedPermission(models.Model):
    """A permission ("app.codename") that a group was given once, whether or not it still has it."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    permission = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "permission"], name="granted_permission_once")]

    def __str__(self) -> str:
        return f"{self.permission} to {self.group_id}"
