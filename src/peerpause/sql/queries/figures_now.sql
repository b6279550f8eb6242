-- How many are active and on pause now, and which month it is. Parameters: whole (organisations), chapters. Always one row.
with mine as (
  select p.id as mentor_id
  from public.peer_mentors as p
  where p.organisation_id = any(%(whole)s::uuid[])
  union
  select m.mentor_id
  from public.chapter_memberships as m
  where m.chapter_id = any(%(chapters)s::uuid[])
)

select
  count(*) filter (where p.status = 'active') as active,
  count(*) filter (where p.status = 'paused') as paused,
  (
    select date_trunc('month', coalesce(max(peerpause.today(o.time_zone)), current_date))::date
    from public.organisations as o
  ) as this_month
from mine
inner join public.peer_mentors as p on p.id = mine.mentor_id
