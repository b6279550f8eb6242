-- Writes down how deliveries went, all of a batch at once. What somebody else settled meanwhile keeps its first outcome, and what
-- somebody else has taken meanwhile (attempts has moved on) is theirs, unless this sender knows that it was sent.
-- Parameter: settlements, [{id, organisation_id, attempts, state, outcome, error_code, reference, not_before, untried}]; untried
-- means that the sender put it off without a call, so that none is counted.
update public.notification_deliveries as d
set
  state = s.state,
  outcome = coalesce(s.outcome, d.outcome),
  error_code = s.error_code,
  reference = s.reference,
  attempts = d.attempts - s.untried::integer,
  first_tried_at = case when s.untried then d.first_tried_at else coalesce(d.first_tried_at, clock_timestamp()) end,
  not_before = coalesce(s.not_before, d.not_before),
  settled_at = case when s.state <> 'pending' then clock_timestamp() end
from
  jsonb_to_recordset(%(settlements)s) as s (
    id uuid, organisation_id uuid, attempts integer, state text, outcome text, error_code text, reference text,
    not_before timestamptz, untried boolean
  )
where
  d.organisation_id = s.organisation_id and d.id = s.id and d.state = 'pending'
  and (d.attempts = s.attempts or s.state = 'sent')
