-- How many people began a pause, by month and reason: each person once a month, with the reason of their first pause in it.
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
),

begun as (
  select distinct on (h.mentor_id, b.month) b.month, h.reason
  from mine
  inner join public.peer_mentors as p on p.id = mine.mentor_id
  inner join organisation as o on o.id = p.organisation_id
  inner join public.peer_mentor_status_history as h
    on h.mentor_id = p.id and h.changed_at >= o.first_month at time zone o.time_zone
  cross join lateral (select date_trunc('month', h.changed_at at time zone o.time_zone)::date as month) as b
  where h.new_status = 'paused' and h.previous_status = 'active'
  order by h.mentor_id, b.month, h.changed_at
)

select b.month, coalesce(b.reason, 'other') as reason, count(*) as people
from begun as b
group by 1, 2
order by 1, 2
