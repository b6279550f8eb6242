-- Which organisations some people administer or used to.
select
  r.organisation_id,
  r.organisation_id as place_id,
  r.user_id,
  r.active
from public.organisation_admins as r
where r.user_id = any(%(user_ids)s::uuid[])
