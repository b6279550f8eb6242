-- Whom a visitor of the demo may be besides those of the story: one of each kind in an organisation, the first by name.
-- Parameters: organisation_id.
with kinds as (
  select 'paused' as part, p.user_id, p.display_name, p.id
  from public.peer_mentors as p
  where
    p.organisation_id = %(organisation_id)s::uuid and p.user_id is not null
    and p.status = 'paused' and p.pause_reason <> 'certification_expired'
  union all
  select 'lapsed', p.user_id, p.display_name, p.id
  from public.peer_mentors as p
  where
    p.organisation_id = %(organisation_id)s::uuid and p.user_id is not null
    and p.status = 'paused' and p.pause_reason = 'certification_expired'
  union all
  select 'admin', a.user_id, p.display_name, a.user_id
  from public.organisation_admins as a
  inner join public.people as p on p.user_id = a.user_id
  where a.organisation_id = %(organisation_id)s::uuid and a.active
)

select distinct on (k.part) k.part, k.user_id, k.display_name
from kinds as k
order by k.part, k.display_name, k.id
