-- The delivery log of an organisation, the newest first, with the names behind the ids. Never a token, a note or an address.
-- Parameters: organisation_id, states, channel, outcome, since, until (each null: any), before (null: from the newest on), limit.
with latest as materialized (
  select
    d.id, d.mentor_id, d.recipient_id, d.about_self, d.channel, d.event, d.state, d.outcome, d.error_code, d.attempts, d.created_at,
    d.settled_at
  from public.notification_deliveries as d
  where
    d.organisation_id = %(organisation_id)s::uuid
    and (%(states)s::text[] is null or d.state = any(%(states)s::text[]))
    and (%(channel)s::text is null or d.channel = %(channel)s::text)
    and (%(outcome)s::text is null or d.outcome = %(outcome)s::text)
    and (%(since)s::timestamptz is null or d.created_at >= %(since)s::timestamptz)
    and (%(until)s::timestamptz is null or d.created_at < %(until)s::timestamptz)
    and (%(before)s::uuid is null or d.id < %(before)s::uuid)
  order by d.id desc
  limit %(limit)s
),

named as materialized (
  select n.user_id, n.display_name
  from peerpause.names_in_organisation(
    %(organisation_id)s::uuid, array(select distinct l.recipient_id from latest as l)
  ) as n
)

select
  l.id, l.mentor_id, l.about_self, l.channel, l.event, l.state, l.outcome, l.error_code, l.attempts, l.created_at, l.settled_at,
  p.display_name as mentor_name, n.display_name as recipient_name
from latest as l
left join public.peer_mentors as p on p.id = l.mentor_id
left join named as n on n.user_id = l.recipient_id
order by l.id desc
