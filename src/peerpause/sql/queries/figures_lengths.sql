-- How long the pauses were that ended in a month: how many, and the length in days that half of them did not exceed.
-- Parameters: whole (organisations), chapters, months (how many, up to this one).
with mine as (
  select p.id as mentor_id
  from public.peer_mentors as p
  where p.organisation_id = any(%(whole)s::uuid[])
  union
  select m.mentor_id
  from public.chapter_memberships as m
  where m.chapter_id = any(%(chapters)s::uuid[])
),

organisation as materialized (
  select
    o.id, o.time_zone,
    date_trunc('month', peerpause.today(o.time_zone) - make_interval(months => %(months)s::integer - 1)) as first_month
  from public.organisations as o
)

select
  date_trunc('month', e.changed_at at time zone o.time_zone)::date as month,
  count(*) as ended,
  percentile_cont(0.5) within group (order by extract(epoch from e.changed_at - b.changed_at) / 86400) as median_days
from mine
inner join public.peer_mentors as p on p.id = mine.mentor_id
inner join organisation as o on o.id = p.organisation_id
inner join public.peer_mentor_status_history as e
  on e.mentor_id = p.id and e.changed_at >= o.first_month at time zone o.time_zone and e.previous_status = 'paused'
cross join lateral (
  select h.changed_at
  from public.peer_mentor_status_history as h
  where h.mentor_id = e.mentor_id and h.changed_at < e.changed_at
  order by h.changed_at desc
  limit 1
) as b
group by 1
order by 1
