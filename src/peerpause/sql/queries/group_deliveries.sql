-- Ties deliveries together that will go out as one push, before it is sent: whoever repeats it after a crash repeats the same one.
-- Parameter: groups, [{id, organisation_id, summary_id}].
update public.notification_deliveries as d
set summary_id = s.summary_id
from jsonb_to_recordset(%(groups)s) as s (id uuid, organisation_id uuid, summary_id uuid)
where d.organisation_id = s.organisation_id and d.id = s.id and d.state = 'pending'
