-- How many deliveries of an organisation are in which state, as far as the other filters let them through: always one row.
-- Parameters: organisation_id, channel, outcome, since, until (each null: any).
select
  count(*) filter (where d.state = 'sent') as sent,
  count(*) filter (where d.state = 'pending') as pending,
  count(*) filter (where d.state = 'skipped') as skipped,
  count(*) filter (where d.state = 'failed') as failed,
  count(*) filter (where d.state = 'expired') as expired
from public.notification_deliveries as d
where
  d.organisation_id = %(organisation_id)s::uuid
  and (%(channel)s::text is null or d.channel = %(channel)s::text)
  and (%(outcome)s::text is null or d.outcome = %(outcome)s::text)
  and (%(since)s::timestamptz is null or d.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or d.created_at < %(until)s::timestamptz)
