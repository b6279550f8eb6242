"""The two addresses of the Django peer."""

from __future__ import annotations

from django.urls import path

from benchmarks.peers.django_mentors.views import PauseView, ReactivateView

urlpatterns = [
    path("v1/mentors/<uuid:mentor_id>/pause", PauseView.as_view()),
    path("v1/mentors/<uuid:mentor_id>/reactivate", ReactivateView.as_view()),
]
