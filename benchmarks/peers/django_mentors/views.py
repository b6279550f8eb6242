"""Pause and reactivate over REST framework: validated, under a row lock, answered with the mentor."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_fsm import can_proceed
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.peers.django_mentors.models import Mentor


class PauseSerializer(serializers.Serializer):
    """What a pause is asked for with."""

    reason = serializers.ChoiceField(choices=["travel", "illness", "personal", "other"])
    note = serializers.CharField(max_length=2000, required=False, allow_null=True, default=None)
    expected_return_on = serializers.DateField(required=False, allow_null=True, default=None)


class MentorSerializer(serializers.ModelSerializer):
    """What is answered."""

    class Meta:
        """The fields of the answer."""

        model = Mentor
        fields = (
            "id", "organisation_id", "status", "pause_at", "pause_reason", "pause_note", "expected_return_on", "updated_at",
        )  # fmt: skip


class PauseView(APIView):
    """`POST /mentors/{id}/pause`."""

    def post(self, request: Request, mentor_id: UUID) -> Response:
        """Pause one mentor."""
        asked = PauseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with transaction.atomic():
            mentor = get_object_or_404(Mentor.objects.select_for_update(), pk=mentor_id)
            if not can_proceed(mentor.pause):
                return Response({"detail": "not allowed"}, status=status.HTTP_409_CONFLICT)
            mentor.pause(at=timezone.now(), **asked.validated_data)
            mentor.save()
        return Response(MentorSerializer(mentor).data)


class ReactivateView(APIView):
    """`POST /mentors/{id}/reactivate`."""

    def post(self, request: Request, mentor_id: UUID) -> Response:
        """Bring one mentor back."""
        with transaction.atomic():
            mentor = get_object_or_404(Mentor.objects.select_for_update(), pk=mentor_id)
            if not can_proceed(mentor.reactivate):
                return Response({"detail": "not allowed"}, status=status.HTTP_409_CONFLICT)
            mentor.reactivate()
            mentor.save()
        return Response(MentorSerializer(mentor).data)
