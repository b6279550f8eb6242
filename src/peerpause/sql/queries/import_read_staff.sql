-- Who coordinates or administers in some organisations and has an e-mail address by which a file may mean them.
select
  r.organisation_id,
  p.email,
  p.first_name,
  p.user_id
from (
  select
    c.organisation_id,
    c.user_id
  from public.coordinator_roles as c
  where c.organisation_id = any(%(organisation_ids)s::uuid[])
  union
  select
    a.organisation_id,
    a.user_id
  from public.organisation_admins as a
  where a.organisation_id = any(%(organisation_ids)s::uuid[])
) as r
inner join public.people as p on p.user_id = r.user_id
where p.email is not null
order by p.user_id
