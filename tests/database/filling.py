"""A database with something in every table, for tests that take the database itself apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import LiteralString

import psycopg

from tests.cast import add_certificate, add_device, build_world, require_certificate, set_status

# What no helper of the cast makes. A new table gets its row here.
_ROWS: Mapping[str, LiteralString] = {
    "public.scheduled_status_changes": """
        insert into public.scheduled_status_changes (organisation_id, mentor_id, effective_at, reason)
        values (%(organisation)s, %(mentor)s, now() + interval '1 day', 'travel')
    """,
    "public.idempotency_keys": """
        insert into public.idempotency_keys (caller, key, organisation_id, request, fingerprint)
        values (%(person)s, 'key', %(organisation)s, 'rpc_pause_mentor', 'x')
    """,
    "peerpause.bulk_changes": """
        insert into peerpause.bulk_changes (requested_by, id, action, mentor_ids)
        values (%(person)s, gen_random_uuid(), 'pause', array[%(mentor)s]::uuid[])
    """,
    "public.job_runs": """
        insert into public.job_runs (organisation_id, job) values (%(organisation)s, 'certification_expiry')
    """,
    "public.certification_overrides": """
        insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until)
        values (%(organisation)s, %(mentor)s, 'the course was cancelled', now() + interval '1 month')
    """,
    "public.notification_deliveries": """
        insert into public.notification_deliveries (
          organisation_id, history_id, mentor_id, recipient_id, channel, event, changed_at
        )
        select h.organisation_id, h.id, h.mentor_id, %(person)s, 'push', 'mentor_paused', h.changed_at
        from public.peer_mentor_status_history as h
    """,
    "public.notifications": """
        insert into public.notifications (organisation_id, history_id, mentor_id, recipient_id, event, payload)
        select h.organisation_id, h.id, h.mentor_id, %(person)s, 'mentor_paused', '{}'
        from public.peer_mentor_status_history as h
    """,
    "public.webhook_endpoints": """
        insert into public.webhook_endpoints (organisation_id, url, secret)
        values (%(organisation)s, 'https://example.org/hook', 'x')
    """,
    "public.webhook_deliveries": """
        insert into public.webhook_deliveries (organisation_id, endpoint_id, event_id, chapter_id, mentor_id, change)
        select e.organisation_id, e.id, gen_random_uuid(), %(chapter)s, %(mentor)s, 'unlisted'
        from public.webhook_endpoints as e
    """,
    "peerpause.inbound_secrets": """
        insert into peerpause.inbound_secrets (organisation_id, secret) values (%(organisation)s, 'x')
    """,
    "peerpause.inbound_messages": """
        insert into peerpause.inbound_messages (organisation_id, message_id, fingerprint, updates)
        values (%(organisation)s, 'msg_1', 'x', 1)
    """,
    "peerpause.roster_watches": """
        insert into peerpause.roster_watches (organisation_id) values (%(organisation)s) on conflict do nothing
    """,
    "peerpause.roster_published": """
        insert into peerpause.roster_published (organisation_id, chapter_id, mentor_id, digest)
        values (%(organisation)s, %(chapter)s, %(mentor)s, 'x')
    """,
    "peerpause.sign_in_identities": """
        insert into peerpause.sign_in_identities (issuer, subject, user_id, linked_by)
        values ('https://login.example.org', 'x', %(person)s, 'hand')
    """,
    "peerpause.sign_in_attempts": """
        insert into peerpause.sign_in_attempts (digest, state, nonce, verifier, next_path)
        values (sha256('word'), 'x', 'x', 'x', '/')
    """,
    "peerpause.web_sessions": """
        insert into peerpause.web_sessions (digest, user_id, csrf, expires_at)
        values (sha256('word'), %(person)s, 'x', now() + interval '1 hour')
    """,
    "peerpause.expiring_lists": """
        insert into peerpause.expiring_lists (organisation_id, month) values (%(organisation)s, '2026-11-01')
    """,
    "peerpause.request_allowances": """
        insert into peerpause.request_allowances (scope, subject, remaining, counted_at) values ('changes', 'x', 1, now())
    """,
    "public.watchdog_incidents": """
        insert into public.watchdog_incidents (organisation_id, code) values (%(organisation)s, 'run_missing')
    """,
    "public.organisation_changes": """
        insert into public.organisation_changes (organisation_id, kind, before, after, changed_by)
        values (%(organisation)s, 'settings', '{"language": "nb"}', '{"language": "nn"}', %(person)s)
    """,
    "public.reason_labels": """
        insert into public.reason_labels (organisation_id, reason, language, label)
        values (%(organisation)s, 'travel', 'nb', 'På tur')
    """,
    "public.mentor_notices": """
        insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on)
        values (%(organisation)s, %(mentor)s, 'return_near', 'mentor', '2026-11-20')
    """,
    "peerpause.audit_heads": """
        insert into peerpause.audit_heads (organisation_id) values (%(organisation)s)
    """,
    "peerpause.audit_chain": """
        select peerpause.chain_rows(array_agg(h.organisation_id), array_agg(h.id)) from public.peer_mentor_status_history as h
    """,
    "peerpause.mentor_reads": """
        insert into peerpause.mentor_reads (organisation_id, mentor_id, hour, reader_id, what)
        values (%(organisation)s, %(mentor)s, date_trunc('hour', now(), 'UTC'), %(person)s, 'history')
    """,
    "peerpause.retention_rules": """
        insert into peerpause.retention_rules (organisation_id) values (%(organisation)s)
    """,
    "peerpause.erasures": """
        insert into peerpause.erasures (pseudonym, mentor_ids, counts) values (gen_random_uuid(), array[%(mentor)s::uuid], '{}')
    """,
    "public.expected_return_changes": """
        insert into public.expected_return_changes (organisation_id, mentor_id, expected_return_on, changed_at)
        values (%(organisation)s, %(mentor)s, '2026-12-20', now())
    """,
    "public.certification_renewals": """
        insert into public.certification_renewals (
          organisation_id, mentor_id, certification_id, kind, issued_on, ended_pause
        )
        select c.organisation_id, c.mentor_id, c.id, c.kind, c.issued_on, false from public.certifications as c
    """,
}


def fill(url: str) -> None:
    """Put the cast into a migrated database, and at least one row into every other table there is."""
    world = build_world(url)
    with psycopg.connect(url) as connection:
        today = date.today()
        require_certificate(connection, world.organisation_id)
        add_certificate(
            connection, world.ada, issued_on=today - timedelta(days=9), expires_on=today + timedelta(days=9)
        )
        add_device(connection, world.bo, "a-token-of-bos-phone")
        set_status(connection, world.ada, "paused", reason="illness")
        who = {
            "organisation": world.organisation_id,
            "mentor": world.ada.mentor_id,
            "chapter": world.north.chapter_id,
            "person": world.bo.user_id,
        }
        for table, row in _ROWS.items():
            found = connection.execute("select to_regclass(%s)", (table,)).fetchone()
            if found != (None,):
                connection.execute(row, who)
