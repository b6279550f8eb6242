-- The chapters of an organisation by name, with how many mentors are active and paused in each, and who coordinates it.
-- Parameters: organisation_id, chapter_id (null: all of them).
with coordinator as materialized (
  select r.chapter_id, r.user_id
  from public.coordinator_roles as r
  where
    r.organisation_id = %(organisation_id)s::uuid
    and (%(chapter_id)s::uuid is null or r.chapter_id = %(chapter_id)s::uuid)
    and r.active
),

named as materialized (
  select n.user_id, n.display_name
  from peerpause.names_in_organisation(%(organisation_id)s::uuid, array(select c.user_id from coordinator as c)) as n
),

counted as (
  select
    m.chapter_id,
    count(*) filter (where p.status = 'active') as active,
    count(*) filter (where p.status = 'paused') as paused
  from public.chapter_memberships as m
  inner join public.peer_mentors as p on p.id = m.mentor_id
  where
    m.organisation_id = %(organisation_id)s::uuid
    and (%(chapter_id)s::uuid is null or m.chapter_id = %(chapter_id)s::uuid)
  group by m.chapter_id
)

select
  c.id as chapter_id,
  c.name,
  coalesce(n.active, 0) as active,
  coalesce(n.paused, 0) as paused,
  (
    select coalesce(jsonb_agg(jsonb_build_object('user_id', r.user_id, 'name', d.display_name) order by d.display_name), '[]')
    from coordinator as r
    left join named as d on d.user_id = r.user_id
    where r.chapter_id = c.id
  ) as coordinators
from public.chapters as c
left join counted as n on n.chapter_id = c.id
where
  c.organisation_id = %(organisation_id)s::uuid
  and (%(chapter_id)s::uuid is null or c.id = %(chapter_id)s::uuid)
order by c.name, c.id
