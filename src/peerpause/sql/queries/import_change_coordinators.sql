-- Coordinators who stop, or begin again.
update public.coordinator_roles as c
set active = r.active
from jsonb_to_recordset(%(rows)s::jsonb) as r (place_id uuid, user_id uuid, active boolean)
where c.chapter_id = r.place_id and c.user_id = r.user_id
