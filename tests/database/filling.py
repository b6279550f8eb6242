"""A database with something in every table, for tests that take the database itself apart."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg

from tests.cast import add_certificate, add_device, build_world, require_certificate, set_status

# What no helper of the cast makes. A new table gets its row here.
_ROWS = (
    "insert into public.scheduled_status_changes (organisation_id, mentor_id, effective_at, reason)"
    " values (%(organisation)s, %(mentor)s, now() + interval '1 day', 'travel')",
    "insert into public.idempotency_keys (caller, key, organisation_id, request, fingerprint)"
    " values (%(person)s, 'key', %(organisation)s, 'rpc_pause_mentor', 'x')",
    "insert into public.job_runs (organisation_id, job) values (%(organisation)s, 'certification_expiry')",
    "insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)"
    " values (%(organisation)s, %(mentor)s, 'the course was cancelled', now() + interval '1 month')",
    "insert into public.notification_deliveries (organisation_id, history_id, mentor_id, recipient_id, channel, event, changed_at)"
    " select h.organisation_id, h.id, h.mentor_id, %(person)s, 'push', 'mentor_paused', h.changed_at"
    " from public.peer_mentor_status_history as h",
    "insert into public.notifications (organisation_id, history_id, mentor_id, recipient_id, event, payload)"
    " select h.organisation_id, h.id, h.mentor_id, %(person)s, 'mentor_paused', '{}'"
    " from public.peer_mentor_status_history as h",
    "insert into public.webhook_endpoints (organisation_id, url, secret)"
    " values (%(organisation)s, 'https://example.org/hook', 'x')",
    "insert into public.webhook_deliveries (organisation_id, endpoint_id, event_id, chapter_id, mentor_id, change)"
    " select e.organisation_id, e.id, gen_random_uuid(), %(chapter)s, %(mentor)s, 'unlisted'"
    " from public.webhook_endpoints as e",
    "insert into peerpause.inbound_secrets (organisation_id, secret) values (%(organisation)s, 'x')",
    "insert into peerpause.inbound_messages (organisation_id, message_id, fingerprint, updates)"
    " values (%(organisation)s, 'msg_1', 'x', 1)",
    "insert into peerpause.roster_watches (organisation_id) values (%(organisation)s) on conflict do nothing",
    "insert into peerpause.roster_published (organisation_id, chapter_id, mentor_id, digest)"
    " values (%(organisation)s, %(chapter)s, %(mentor)s, 'x')",
)


def fill(url: str) -> None:
    """Put the cast into a migrated database, and at least one row into every other table."""
    world = build_world(url)
    with psycopg.connect(url) as connection:
        today = date.today()
        require_certificate(connection, world.organisation_id)
        add_certificate(
            connection, world.ada, issued_on=today - timedelta(days=9), expires_on=today + timedelta(days=9)
        )
        add_device(connection, world.bo, "a-token-of-bos-phone")
        set_status(connection, world.ada, "paused", reason="illness")
        for row in _ROWS:
            connection.execute(
                row.encode(),
                {
                    "organisation": world.organisation_id,
                    "mentor": world.ada.mentor_id,
                    "chapter": world.north.chapter_id,
                    "person": world.bo.user_id,
                },
            )
