-- Those of some accounts that have a part in an organisation other than these: a mentor, an active coordinator or an active admin there.
select p.user_id
from public.people as p
where
  p.user_id = any(%(user_ids)s::uuid[])
  and (
    exists (
      select from public.peer_mentors as m
      where m.user_id = p.user_id and m.organisation_id <> all(%(organisation_ids)s::uuid[])
    )
    or exists (
      select from public.coordinator_roles as r
      where r.user_id = p.user_id and r.active and r.organisation_id <> all(%(organisation_ids)s::uuid[])
    )
    or exists (
      select from public.organisation_admins as a
      where a.user_id = p.user_id and a.active and a.organisation_id <> all(%(organisation_ids)s::uuid[])
    )
  )
