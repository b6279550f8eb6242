-- People who become admins of an organisation.
insert into public.organisation_admins (organisation_id, user_id, active)
select
  r.place_id,
  r.user_id,
  r.active
from jsonb_to_recordset(%(rows)s::jsonb) as r (place_id uuid, user_id uuid, active boolean)
on conflict do nothing
