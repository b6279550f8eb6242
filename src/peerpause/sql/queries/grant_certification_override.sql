-- Grants an override, as the caller. Parameters: mentor_id, justification, valid_until, idempotency_key.
select public.grant_certification_override(
  %(mentor_id)s, %(justification)s::text, %(valid_until)s, %(idempotency_key)s::text
) as answer
