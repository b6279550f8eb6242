"""An example of every answer that is no refusal, for the description: the same few people and chapters throughout.

They are written out here because FastAPI leaves what is null out of the examples of models. A test tells where one is missing, or is
not what its schema says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ADA: Final = "6f1c5f0e-3f0b-4c57-9c2b-1d1f5a7f9b10"
_FINN: Final = "1f0d3f7a-7c52-4c0a-8f0e-64f0e1a3c921"
_BO: Final = "0b7a4a5e-9a50-4f0e-8a3e-5f2f7d1c2b11"
_ORGANISATION: Final = "b0b8a3a2-8d7e-4b0d-b3c5-0f6a0c9e7d12"
_NORTH: Final = "c0f5b6f4-3c6e-4d8f-9a55-2d8c7a1b3e44"
_RUN: Final = "0192f0c1-9b3c-7d4e-9f50-6b7c8d9e0f1a"
_ENDPOINT: Final = "0192f0c2-1c4d-7e5f-8a61-7c8d9e0f1a2b"
_THEN: Final = "2026-11-01T09:30:00.123456Z"
_NEXT: Final = "WyItcGF1c2VkX2F0IiwgIjIwMjYtMTEtMDEiXQ"

_STATUS: Final = {
    "mentor_id": _ADA,
    "organisation_id": _ORGANISATION,
    "status": "paused",
    "previous_status": "active",
    "changed_at": _THEN,
    "changed_by": _BO,
    "reason": "coordinator_pause",
    "note": None,
    "paused_at": _THEN,
    "expected_return_on": "2027-08-15",
    "reactivated_at": None,
    "scheduled_pause_at": None,
    "updated_at": _THEN,
}
_ACTIVE: Final = {
    **_STATUS,
    "status": "active",
    "previous_status": "paused",
    "reason": "returned",
    "paused_at": None,
    "expected_return_on": None,
    "reactivated_at": _THEN,
}
_COUNTS: Final = {"queried": 420, "paused": 3, "skipped": 1, "errors": 0}
_REPORT: Final = {"job_id": _RUN, "status": "succeeded", **_COUNTS, "duration_ms": 812}
_ENTRY: Final = {
    "id": "0192f0c1-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "event": "mentor_paused",
    "about_self": False,
    "payload": {"event": "mentor_paused", "mentor_id": _ADA, "new_status": "paused", "reason_code": "travel"},
    "created_at": _THEN,
    "read_at": "2026-11-01T09:41:12.000321Z",
    "acknowledged_at": "2026-11-01T09:41:12.000321Z",
}
_ROSTER: Final = {
    "chapter": {"id": _NORTH, "name": "Hearing Friends North"},
    "role_word": "likeperson",
    "mentors": [
        {
            "id": _ADA,
            "display_name": "Ada Hansen",
            "languages": ["nb", "en"],
            "presentation": "I have worn two hearing aids since I was twelve.",
            "contact": "ada@example.org",
        }
    ],
}
_PAGE: Final = '<!doctype html>\n<html lang="nb"><title>Hearing Friends North</title>…</html>\n'
_SECRET: Final = {"secret": "whsec_bm90IGEgc2VjcmV0LCBhbiBleGFtcGxlIG9mIG9uZSE="}


def _bulk(status: Mapping[str, Any]) -> Mapping[str, Any]:
    done = {"mentor_id": _ADA, "ok": True, "status": status, "code": None, "detail": None}
    refused = {
        "mentor_id": _FINN,
        "ok": False,
        "status": None,
        "code": "permission_denied",
        "detail": "this mentor is not yours to change",
    }
    return {"changed": 1, "refused": 1, "outcomes": [done, refused]}


ANSWERS: Final[Mapping[tuple[str, str, str], Any]] = {
    ("get", "/v1/mentors/{mentor_id}/status", "application/json"): _STATUS,
    ("post", "/v1/mentors/{mentor_id}/pause", "application/json"): _STATUS,
    ("post", "/v1/mentors/{mentor_id}/reactivate", "application/json"): _ACTIVE,
    ("post", "/v1/mentors/{mentor_id}/deactivate", "application/json"): {
        **_STATUS, "status": "inactive", "reason": "resigned", "paused_at": None, "expected_return_on": None,
    },
    ("delete", "/v1/mentors/{mentor_id}/planned-pause", "application/json"): {"cancelled": True},
    ("get", "/v1/mentors/{mentor_id}/history", "application/json"): {
        "items": [
            {
                "id": "0192f0c0-5f1a-7b2c-8d3e-4f5a6b7c8d9e",
                "mentor_id": _ADA,
                "previous_status": "active",
                "new_status": "paused",
                "changed_by": _BO,
                "changed_at": _THEN,
                "reason": "coordinator_pause",
                "note": None,
                "expected_return_on": "2027-08-15",
                "certification_expires_at": None,
                "job_run_id": None,
            }
        ],
        "next": None,
    },
    ("get", "/v1/chapters/{chapter_id}/mentors", "application/json"): {
        "items": [
            {
                "mentor_id": _ADA,
                "display_name": "Ada Hansen",
                "first_name": "Ada",
                "status": "paused",
                "pause_reason": "coordinator_pause",
                "paused_at": _THEN,
                "expected_return_on": "2027-08-15",
                "reactivated_at": None,
                "updated_at": _THEN,
            }
        ],
        "next": _NEXT,
    },
    ("post", "/v1/mentors/pause", "application/json"): _bulk(_STATUS),
    ("post", "/v1/mentors/reactivate", "application/json"): _bulk(_ACTIVE),
    ("get", "/v1/notifications", "application/json"): {
        "unread": 1,
        "items": [{**_ENTRY, "read_at": None, "acknowledged_at": None}],
        "next": None,
    },
    ("post", "/v1/notifications/{notification_id}/read", "application/json"): {**_ENTRY, "acknowledged_at": None},
    ("post", "/v1/notifications/{notification_id}/acknowledge", "application/json"): _ENTRY,
    ("post", "/v1/certifications/{mentor_id}/renewals", "application/json"): {
        "mentor_id": _ADA,
        "certification_id": "0192f0c2-8d5e-7f60-9b72-8d9e0f1a2b3c",
        "kind": "peer_mentor",
        "expires_on": "2028-10-31",
        "reactivated": True,
        "status": "active",
    },
    ("post", "/v1/expiry-runs", "application/json"): _REPORT,
    ("get", "/v1/expiry-runs", "application/json"): {
        "items": [
            {
                "id": _RUN,
                "status": "succeeded",
                "started_by": None,
                "chapter_ids": None,
                "started_at": "2026-11-01T02:00:00.004512Z",
                "finished_at": "2026-11-01T02:00:00.816912Z",
                **_COUNTS,
                "error_code": None,
            }
        ],
        "next": None,
    },
    ("put", "/v1/mentors/{mentor_id}/public-profile", "application/json"): {
        "mentor_id": _ADA,
        "listed": True,
        "languages": ["nb", "en"],
        "presentation": "I have worn two hearing aids since I was twelve.",
        "public_contact": "ada@example.org",
    },
    ("get", "/v1/organisations/{organisation_id}/webhook-endpoints", "application/json"): [
        {
            "endpoint_id": _ENDPOINT,
            "url": "https://www.example.org/hooks/peerpause",
            "active": True,
            "created_at": _THEN,
            "disabled_at": None,
            "disabled_because": None,
            "last_sent_at": _THEN,
            "last_failed_at": None,
            "last_error": None,
            "waiting": 0,
        }
    ],
    ("post", "/v1/organisations/{organisation_id}/webhook-endpoints", "application/json"): {
        "endpoint_id": _ENDPOINT, "url": "https://www.example.org/hooks/peerpause", **_SECRET,
    },
    ("post", "/v1/webhook-endpoints/{endpoint_id}/secret", "application/json"): _SECRET,
    ("post", "/v1/organisations/{organisation_id}/inbound-secret", "application/json"): _SECRET,
    ("get", "/public/chapters/{chapter_id}/mentors", "application/json"): _ROSTER,
    ("get", "/public/chapters/{chapter_id}/mentors", "text/html"): _PAGE,
    ("get", "/public/chapters/{chapter_id}/mentors.json", "application/json"): _ROSTER,
    ("get", "/public/chapters/{chapter_id}/mentors.html", "text/html"): _PAGE,
    ("post", "/webhooks/certifications/{organisation_id}", "application/json"): {"recorded": 2, "repeated": False},
    ("post", "/functions/v1/send-push-notifications", "application/json"): {
        "success_count": 1,
        "failure_count": 1,
        "results": [
            {
                "token": "fGx0:APA91bE",
                "success": True,
                "message_id": "projects/example/messages/0:1500415314455276%31bd1c9631bd1c96",
                "error": None,
                "retired": False,
            },
            {"token": "dQw4:APA91bF", "success": False, "message_id": None, "error": "UNREGISTERED", "retired": True},
        ],
    },
    ("post", "/functions/v1/certification-expiry-job", "application/json"): _REPORT,
    ("get", "/healthz", "application/json"): {"status": "ok"},
    ("get", "/readyz", "application/json"): {
        "ready": True, "database": "ok", "migrations": "current", "worker": "alive", "problems": [],
    },
    ("get", "/metrics", "text/plain"): (
        "# TYPE peerpause_http_requests_total counter\n"
        'peerpause_http_requests_total{method="GET",route="/healthz",status="200"} 12.0\n'
    ),
    ("get", "/docs", "text/html"): '<!doctype html><html lang="en">…</html>',
}  # fmt: skip
"""By method, path and media type."""

NOT_READY: Final = {
    "ready": False,
    "database": "ok",
    "migrations": "pending",
    "worker": "alive",
    "problems": [
        {
            "check": "migrations",
            "detail": "1 of this program's migrations is not in the database: 20261125020000_peerpause_http.",
            "hint": "Run `peerpause migrate up`.",
        }
    ],
}
