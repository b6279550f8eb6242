-- Changes when a paused mentor is expected back (null: no day in sight). No row: somebody else was faster, nothing was changed.
select
  answer.updated_at,
  answer.reactivated_at
from public.update_expected_return(
  p_mentor_id => %(mentor_id)s::uuid,
  p_expected_return_on => %(expected_return_on)s::date,
  p_expected_updated_at => %(expected_updated_at)s::timestamptz,
  p_idempotency_key => %(idempotency_key)s::text
) as answer
