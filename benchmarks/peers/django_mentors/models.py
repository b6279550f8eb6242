"""A mentor whose status obeys django-fsm-2 and whose changes django-simple-history records."""

from __future__ import annotations

import uuid

from django.db import models
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords


class Mentor(models.Model):
    """One peer mentor."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organisation_id = models.UUIDField(db_index=True)
    display_name = models.CharField(max_length=200)
    status = FSMField(default="active", protected=True)
    pause_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=64, null=True)
    pause_note = models.TextField(null=True)
    expected_return_on = models.DateField(null=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        """Named apart from ours."""

        app_label = "django_mentors"

    @transition(field=status, source="active", target="paused")
    def pause(self, *, at: object, reason: str, note: str | None, expected_return_on: object) -> None:
        """Take a break."""
        self.pause_at = at
        self.pause_reason = reason
        self.pause_note = note
        self.expected_return_on = expected_return_on

    @transition(field=status, source="paused", target="active")
    def reactivate(self) -> None:
        """Come back."""
        self.pause_at = self.pause_reason = self.pause_note = self.expected_return_on = None

    @transition(field=status, source="active", target="inactive")
    def deactivate(self) -> None:
        """Leave for good."""
