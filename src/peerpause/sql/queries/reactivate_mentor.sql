-- Brings a paused mentor back. No row: somebody else was faster, nothing was changed.
select
  answer.updated_at,
  answer.reactivated_at
from public.rpc_reactivate_mentor(
  p_mentor_id => %(mentor_id)s::uuid,
  p_expected_updated_at => %(expected_updated_at)s::timestamptz,
  p_reason => %(reason)s::text,
  p_idempotency_key => %(idempotency_key)s::text
) as answer
