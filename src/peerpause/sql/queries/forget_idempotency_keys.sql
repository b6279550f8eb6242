-- Drops idempotency keys older than a day.
delete from public.idempotency_keys as k where k.created_at < now() - interval '24 hours'
