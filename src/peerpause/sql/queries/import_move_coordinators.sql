-- Coordinators who have got an account: their roles leave the stand-in id.
update public.coordinator_roles as c
set
  user_id = r.user_id,
  active = r.active
from jsonb_to_recordset(%(rows)s::jsonb) as r (place_id uuid, user_id uuid, old_user_id uuid, active boolean)
where c.chapter_id = r.place_id and c.user_id = r.old_user_id
