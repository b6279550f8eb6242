-- Admins who stop, or begin again.
update public.organisation_admins as a
set active = r.active
from jsonb_to_recordset(%(rows)s::jsonb) as r (place_id uuid, user_id uuid, active boolean)
where a.organisation_id = r.place_id and a.user_id = r.user_id
