-- New mentors from a file, in any status. The table's triggers complete the facts of a pause and write the history.
insert into public.peer_mentors (
  id, organisation_id, external_id, user_id, display_name, first_name, status, pause_at, pause_reason, expected_return_on
)
select
  r.id,
  r.organisation_id,
  r.external_id,
  r.user_id,
  r.display_name,
  r.first_name,
  r.status,
  r.pause_at,
  r.pause_reason,
  r.expected_return_on
from jsonb_to_recordset(%(rows)s::jsonb) as r (
  id uuid, organisation_id uuid, external_id text, user_id uuid, display_name text, first_name text,
  status public.mentor_status, pause_at timestamptz, pause_reason text, expected_return_on date
)
