-- Mentors whose name or account a file says anew. Never their status: that change needs an actor and a reason.
update public.peer_mentors as m
set
  user_id = r.user_id,
  display_name = r.display_name,
  first_name = r.first_name
from jsonb_to_recordset(%(rows)s::jsonb) as r (id uuid, user_id uuid, display_name text, first_name text)
where m.id = r.id
