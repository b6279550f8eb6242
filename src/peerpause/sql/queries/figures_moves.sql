-- By how many the active and those on pause became more or fewer, month by month: from today's counts it leads back to earlier ones.
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
  date_trunc('month', h.changed_at at time zone o.time_zone)::date as month,
  sum((h.new_status = 'active')::integer - coalesce(h.previous_status = 'active', false)::integer) as active,
  sum((h.new_status = 'paused')::integer - coalesce(h.previous_status = 'paused', false)::integer) as paused
from mine
inner join public.peer_mentors as p on p.id = mine.mentor_id
inner join organisation as o on o.id = p.organisation_id
inner join public.peer_mentor_status_history as h
  on h.mentor_id = p.id and h.changed_at >= o.first_month at time zone o.time_zone
group by 1
order by 1
