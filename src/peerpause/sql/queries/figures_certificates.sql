-- How many people have a required certificate that runs out in each of the coming months; the latest of a kind counts. Those whose
-- certificate has run out already stand under no month. Parameters: whole (organisations), chapters, months (how many, from this one on).
with mine as (
  select p.id as mentor_id
  from public.peer_mentors as p
  where p.organisation_id = any(%(whole)s::uuid[])
  union
  select m.mentor_id
  from public.chapter_memberships as m
  where m.chapter_id = any(%(chapters)s::uuid[])
),

latest as (
  select p.id as mentor_id, o.today, c.expires_on
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
  where c.expires_on < date_trunc('month', o.today) + make_interval(months => %(months)s::integer)
)

select
  case when l.expires_on >= l.today then date_trunc('month', l.expires_on)::date end as month,
  count(distinct l.mentor_id) as people
from latest as l
group by 1
order by 1
