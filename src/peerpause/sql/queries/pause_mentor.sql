-- Pauses a mentor now, or plans the pause where pause_at lies ahead. No row: somebody else was faster, nothing was changed.
select
  answer.updated_at,
  answer.reactivated_at
from public.rpc_pause_mentor(
  p_mentor_id => %(mentor_id)s::uuid,
  p_reason => %(reason)s::text,
  p_pause_at => %(pause_at)s::timestamptz,
  p_expected_return_on => %(expected_return_on)s::date,
  p_note => %(note)s::text,
  p_expected_updated_at => %(expected_updated_at)s::timestamptz,
  p_idempotency_key => %(idempotency_key)s::text
) as answer
