-- Admins who have got an account: their roles leave the stand-in id.
update public.organisation_admins as a
set
  user_id = r.user_id,
  active = r.active
from jsonb_to_recordset(%(rows)s::jsonb) as r (place_id uuid, user_id uuid, old_user_id uuid, active boolean)
where a.organisation_id = r.place_id and a.user_id = r.old_user_id
