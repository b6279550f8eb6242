-- Organisations whose settings a file says anew.
update public.organisations as o
set
  name = r.name,
  time_zone = r.time_zone,
  language = r.language,
  role_word = r.role_word,
  required_certification_kinds = r.required_certification_kinds
from jsonb_to_recordset(%(rows)s::jsonb) as r (
  id uuid, name text, time_zone text, language text, role_word text, required_certification_kinds text[]
)
where o.id = r.id
