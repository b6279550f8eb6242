-- Writes down how deliveries went, all of a batch at once. A delivery somebody else settled meanwhile keeps its first outcome.
-- Parameter: settlements, [{id, organisation_id, state, outcome, error_code, reference, not_before}].
update public.notification_deliveries as d
set
  state = s.state,
  outcome = s.outcome,
  error_code = s.error_code,
  reference = s.reference,
  not_before = coalesce(s.not_before, d.not_before),
  settled_at = case when s.state <> 'pending' then clock_timestamp() end
from
  jsonb_to_recordset(%(settlements)s) as s (
    id uuid, organisation_id uuid, state text, outcome text, error_code text, reference text, not_before timestamptz
  )
where d.organisation_id = s.organisation_id and d.id = s.id and d.state = 'pending'
