-- Takes deliveries that are due, the longest waiting first, for as long as the lease lasts: a sender that dies lets them come due
-- again. Two senders never take the same row. Parameters: limit, lease (seconds), channel, history_id (null: any change).
-- Answers what is needed to word and address each: payload, language, devices as [{token, kind}], e-mail address, and how many
-- pushes the recipient was sent in the last minute.
with due as materialized (
  select d.organisation_id, d.id
  from public.notification_deliveries as d
  where
    d.state = 'pending' and d.channel = %(channel)s and d.not_before <= clock_timestamp()
    and (%(history_id)s::uuid is null or d.history_id = %(history_id)s::uuid)
  order by d.not_before
  limit %(limit)s
  for update skip locked
),

taken as (
  update public.notification_deliveries as d
  set
    not_before = clock_timestamp() + make_interval(secs => %(lease)s),
    attempts = d.attempts + 1,
    first_tried_at = coalesce(d.first_tried_at, clock_timestamp())
  from due
  where d.organisation_id = due.organisation_id and d.id = due.id
  returning d.*
)

select
  t.id, t.organisation_id, t.history_id, t.mentor_id, t.recipient_id, t.channel, t.event, t.about_self, t.attempts,
  t.changed_at, t.first_tried_at, t.job_run_id, t.summary_id, clock_timestamp() as taken_at,
  n.payload,
  coalesce(p.language, o.language) as language,
  o.role_word,
  o.push_detail = 'minimal' as minimal,
  p.email,
  case when t.channel = 'push' then (
    select coalesce(jsonb_agg(jsonb_build_object('token', v.token, 'kind', v.kind) order by v.last_seen_at desc), '[]')
    from public.device_tokens as v
    where v.user_id = t.recipient_id and v.retired_at is null
  ) end as devices,
  case when t.channel = 'push' then (
    select array_agg(s.settled_at order by s.settled_at)
    from public.notification_deliveries as s
    where
      s.recipient_id = t.recipient_id and s.state = 'sent' and s.channel = 'push'
      and s.settled_at > clock_timestamp() - interval '1 minute'
  ) end as recently_sent
from taken as t
inner join public.notifications as n on n.history_id = t.history_id and n.recipient_id = t.recipient_id
inner join public.organisations as o on o.id = t.organisation_id
left join public.people as p on p.user_id = t.recipient_id
order by t.changed_at
