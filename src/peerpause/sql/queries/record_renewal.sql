-- Records a renewal, as the caller. Parameters: mentor_id, issued_on, expires_on, note, kind, idempotency_key.
select public.record_renewal(
  %(mentor_id)s, %(issued_on)s, %(expires_on)s::date, %(note)s::text, %(kind)s::text, %(idempotency_key)s::text
) as answer
