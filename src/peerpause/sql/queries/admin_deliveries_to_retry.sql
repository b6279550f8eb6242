-- The deliveries of an organisation that failed or were given up, as far as the filters let them through: the newest 10 000.
-- Parameters: organisation_id, states, channel, outcome, since, until (each null: any).
select d.id
from public.notification_deliveries as d
where
  d.organisation_id = %(organisation_id)s::uuid
  and d.state in ('failed', 'expired')
  and (%(states)s::text[] is null or d.state = any(%(states)s::text[]))
  and (%(channel)s::text is null or d.channel = %(channel)s::text)
  and (%(outcome)s::text is null or d.outcome = %(outcome)s::text)
  and (%(since)s::timestamptz is null or d.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or d.created_at < %(until)s::timestamptz)
order by d.id desc
limit 10000
