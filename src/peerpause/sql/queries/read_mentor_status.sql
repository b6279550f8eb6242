-- Where a mentor stands, and the change that led there. Refuses with PT404 for a mentor the caller may not see.
select
  found.mentor_id,
  found.organisation_id,
  found.status,
  found.previous_status,
  found.changed_at,
  found.changed_by,
  found.reason,
  found.note,
  found.paused_at,
  found.expected_return_on,
  found.reactivated_at,
  found.updated_at,
  found.scheduled_pause_at
from public.get_mentor_status(p_mentor_id => %(mentor_id)s::uuid) as found
