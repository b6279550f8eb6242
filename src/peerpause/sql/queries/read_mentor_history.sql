-- What happened to a mentor, newest first, from before a moment.
select
  entry.id,
  entry.mentor_id,
  entry.previous_status,
  entry.new_status,
  entry.changed_by,
  entry.changed_at,
  entry.reason,
  entry.note,
  entry.expected_return_on,
  entry.certification_expires_at,
  entry.job_run_id
from public.get_mentor_status_history(
  p_mentor_id => %(mentor_id)s::uuid,
  p_limit => %(limit)s::integer,
  p_before => %(before)s::timestamptz
) as entry
