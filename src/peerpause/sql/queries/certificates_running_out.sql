-- The certificates that run out first, or have run out: for each mentor and each kind that is required the latest one, the earliest
-- day first. Who has left is left out. Parameters: whole (organisations), chapters; until_days (from today on; null: only what has
-- run out), only_active_and_uncovered (whom the check would pause), limit, skip.
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
  select
    p.id as mentor_id, p.organisation_id, p.display_name, p.status, p.pause_reason, p.pause_at, o.today, k.kind, c.expires_on
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
),

covered as (
  select
    l.*,
    (
      select max(v.valid_until)
      from public.certification_overrides as v
      where v.mentor_id = l.mentor_id and v.valid_until >= l.today
    ) as covered_until
  from latest as l
  where
    case
      when %(until_days)s::integer is null then l.expires_on < l.today
      else l.expires_on <= l.today + %(until_days)s::integer
    end
)

select
  c.mentor_id, c.organisation_id, c.display_name, c.status, c.pause_reason, c.pause_at, c.today, c.kind, c.expires_on, c.covered_until,
  count(*) over () as total,
  (
    select coalesce(array_agg(h.name order by h.name), '{}')
    from public.chapter_memberships as m
    inner join public.chapters as h on h.id = m.chapter_id
    where m.mentor_id = c.mentor_id
  ) as chapters
from covered as c
where not %(only_active_and_uncovered)s or (c.status = 'active' and c.covered_until is null)
order by c.expires_on, c.display_name, c.mentor_id, c.kind
limit %(limit)s offset %(skip)s
