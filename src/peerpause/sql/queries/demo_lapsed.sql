-- A mentor of the demo whose required certificate has run out, paused for it or not yet, with a coordinator who can renew it.
-- The first by name; none where all have been renewed.
select
  p.id as mentor_id,
  p.user_id as mentor_user_id,
  p.display_name as mentor_name,
  p.first_name as mentor_first_name,
  p.status,
  o.required_certification_kinds[1] as kind,
  c.user_id as coordinator_id,
  cp.display_name as coordinator_name,
  (select min(m.chapter_id::text)::uuid from public.chapter_memberships as m where m.mentor_id = p.id) as chapter_id
from public.peer_mentors as p
inner join public.organisations as o on o.id = p.organisation_id and o.required_certification_kinds <> '{}'
cross join lateral (
  select min(r.user_id::text)::uuid as user_id
  from peerpause.coordinators_of(array[p.id]) as r
  where not r.is_fallback
) as c
inner join public.people as cp on cp.user_id = c.user_id
where
  p.user_id is not null
  and p.user_id <> c.user_id
  and p.listed
  and (
    p.pause_reason = 'certification_expired'
    or (
      p.status = 'active'
      and exists (
        select from public.certifications as f
        where f.mentor_id = p.id and f.kind = any(o.required_certification_kinds) and f.expires_on < current_date
      )
      and not exists (
        select from public.certifications as f
        where f.mentor_id = p.id and f.kind = any(o.required_certification_kinds) and f.expires_on >= current_date
      )
    )
  )
order by p.display_name, p.id
limit 1
