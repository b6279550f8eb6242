-- People from a file who have no row yet. Somebody who signed up a moment ago keeps what they wrote themselves.
insert into public.people (user_id, display_name, first_name, email, language)
select
  r.user_id,
  r.display_name,
  r.first_name,
  r.email,
  r.language
from jsonb_to_recordset(%(rows)s::jsonb) as r (
  user_id uuid, display_name text, first_name text, email text, language text
)
on conflict do nothing
