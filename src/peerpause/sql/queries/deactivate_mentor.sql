-- Lets a mentor leave, from a pause by its two legal steps. No row: somebody else was faster, nothing was changed.
select
  answer.updated_at,
  answer.reactivated_at
from public.rpc_deactivate_mentor(
  p_mentor_id => %(mentor_id)s::uuid,
  p_reason => %(reason)s::text,
  p_note => %(note)s::text,
  p_expected_updated_at => %(expected_updated_at)s::timestamptz,
  p_idempotency_key => %(idempotency_key)s::text
) as answer
