-- Who plays in the demo: an active mentor of several chapters, a coordinator of theirs, and a coordinator of the same organisation
-- who has nothing to do with them. The first such mentor by name, so that runs tell the same story; but one whose coordinators have
-- not had several pushes within the last minutes, because what comes then is summed up for them.
select
  p.id as mentor_id,
  p.user_id as mentor_user_id,
  p.display_name as mentor_name,
  p.first_name as mentor_first_name,
  p.organisation_id,
  o.name as organisation_name,
  c.user_id as coordinator_id,
  cp.display_name as coordinator_name,
  s.user_id as stranger_id,
  sp.display_name as stranger_name,
  (select min(m.chapter_id::text)::uuid from public.chapter_memberships as m where m.mentor_id = p.id) as chapter_id
from public.peer_mentors as p
inner join public.organisations as o on o.id = p.organisation_id
cross join lateral (
  select min(r.user_id::text)::uuid as user_id, count(distinct r.user_id) as coordinators
  from peerpause.coordinators_of(array[p.id]) as r
  where not r.is_fallback
) as c
inner join public.people as cp on cp.user_id = c.user_id
cross join lateral (
  select min(r.user_id::text)::uuid as user_id
  from public.coordinator_roles as r
  where
    r.organisation_id = p.organisation_id and r.active
    and not exists (select from peerpause.coordinators_of(array[p.id]) as f where f.user_id = r.user_id)
) as s
inner join public.people as sp on sp.user_id = s.user_id
where
  p.status = 'active'
  and p.user_id is not null
  and exists (
    select from public.chapter_memberships as m
    cross join lateral public.public_chapter_roster(m.chapter_id) as l
    where m.mentor_id = p.id and l.mentor_id = p.id
  )
  and c.coordinators >= 2
  and c.user_id <> p.user_id
  and not exists (select from public.organisation_admins as a where a.user_id = s.user_id)
  and (select count(*) from public.chapter_memberships as m where m.mentor_id = p.id) >= 2
order by
  (
    select count(*) / 4
    from public.notification_deliveries as d
    where
      d.created_at > clock_timestamp() - interval '2 minutes'
      and d.recipient_id in (select f.user_id from peerpause.coordinators_of(array[p.id]) as f)
  ),
  p.display_name,
  p.id
limit 1
