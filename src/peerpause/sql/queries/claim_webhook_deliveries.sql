-- Takes webhook deliveries that are due, a few for each endpoint so that a slow website holds up no other, for as long as the lease
-- lasts: a sender that dies lets them come due again. Two senders never take the same row.
-- Parameters: per_endpoint, lease (seconds), busy (endpoints this sender is still busy with).
with due as materialized (
  select w.organisation_id, w.id
  from public.webhook_endpoints as e
  cross join lateral (
    select d.organisation_id, d.id
    from public.webhook_deliveries as d
    where d.endpoint_id = e.id and d.state = 'pending' and d.not_before <= clock_timestamp()
    order by d.not_before
    limit %(per_endpoint)s
    for update skip locked
  ) as w
  where e.active and not e.id = any(%(busy)s::uuid[])
),

taken as (
  update public.webhook_deliveries as d
  set
    not_before = clock_timestamp() + make_interval(secs => %(lease)s),
    attempts = d.attempts + 1,
    tried_at = clock_timestamp(),
    first_tried_at = coalesce(d.first_tried_at, clock_timestamp())
  from due
  where d.organisation_id = due.organisation_id and d.id = due.id
  returning d.*
)

select
  t.id, t.organisation_id, t.endpoint_id, t.event_id, t.chapter_id, t.mentor_id, t.change, t.found_at, t.attempts, t.first_tried_at,
  e.url, e.secret,
  case when e.previous_secret_until > now() then e.previous_secret end as previous_secret
from taken as t
inner join public.webhook_endpoints as e on e.id = t.endpoint_id
order by t.found_at
