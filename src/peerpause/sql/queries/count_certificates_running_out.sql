-- How many people have a required certificate that has run out, or that does within 7, 30, 60 and 90 days; those who left are left out.
-- Parameters: whole (organisations), chapters. Always one row.
with mine as (
  select p.id as mentor_id
  from public.peer_mentors as p
  where p.organisation_id = any(%(whole)s::uuid[])
  union
  select m.mentor_id
  from public.chapter_memberships as m
  where m.chapter_id = any(%(chapters)s::uuid[])
),

first as (
  select min(c.expires_on - o.today) as days_left
  from mine
  inner join public.peer_mentors as p on p.id = mine.mentor_id and p.status <> 'inactive'
  inner join (
    select g.id, g.required_certification_kinds as kinds, peerpause.today(g.time_zone) as today
    from public.organisations as g
  ) as o on o.id = p.organisation_id
  cross join lateral unnest(o.kinds) as k (kind)
  cross join lateral (
    select c.expires_on
    from public.certifications as c
    where c.mentor_id = p.id and c.kind = k.kind and c.issued_on <= o.today
    order by c.expires_on desc
    limit 1
  ) as c
  where c.expires_on < 'infinity'
  group by p.id
)

select
  count(*) filter (where f.days_left < 0) as expired,
  count(*) filter (where f.days_left <= 7) as within_7,
  count(*) filter (where f.days_left <= 30) as within_30,
  count(*) filter (where f.days_left <= 60) as within_60,
  count(*) filter (where f.days_left <= 90) as within_90
from first as f
