-- Which chapters some people coordinate or used to.
select
  r.organisation_id,
  r.chapter_id as place_id,
  r.user_id,
  r.active
from public.coordinator_roles as r
where r.user_id = any(%(user_ids)s::uuid[])
