-- Makes one legal move for a named actor. No row: somebody else was faster, nothing was changed.
select (called.answer ->> 'updated_at')::timestamptz as updated_at
from public.update_mentor_status(
  p_mentor_id => %(mentor_id)s::uuid,
  p_new_status => %(new_status)s::text,
  p_actor_id => %(actor_id)s::uuid,
  p_reason => %(reason)s::text,
  p_expected_updated_at => %(expected_updated_at)s::timestamptz,
  p_idempotency_key => %(idempotency_key)s::text
) as called (answer)
where called.answer is not null
