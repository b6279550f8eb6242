-- People of whom a file says something new.
update public.people as p
set
  display_name = r.display_name,
  first_name = r.first_name,
  email = r.email,
  language = r.language
from jsonb_to_recordset(%(rows)s::jsonb) as r (
  user_id uuid, display_name text, first_name text, email text, language text
)
where p.user_id = r.user_id
