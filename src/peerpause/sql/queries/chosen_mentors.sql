-- Those of some mentors whom the reader answers for, by name, and what would keep each from being active.
select
  p.id as mentor_id,
  p.organisation_id,
  p.display_name,
  p.status,
  p.updated_at,
  case when p.status = 'paused' then peerpause.blocking_lapse_for_caller(p.id) end as blocking_lapse
from public.peer_mentors as p
where p.id = any(%(mentor_ids)s::uuid[])
order by p.display_name, p.id
