-- Writes down how webhook deliveries went. One that was settled meanwhile keeps its first outcome.
-- Parameter: settlements, [{id, organisation_id, state, error_code, not_before}].
update public.webhook_deliveries as d
set
  state = s.state,
  error_code = s.error_code,
  not_before = coalesce(s.not_before, d.not_before),
  settled_at = case when s.state <> 'pending' then clock_timestamp() end
from
  jsonb_to_recordset(%(settlements)s) as s (
    id uuid, organisation_id uuid, state text, error_code text, not_before timestamptz
  )
where d.organisation_id = s.organisation_id and d.id = s.id and d.state = 'pending'
