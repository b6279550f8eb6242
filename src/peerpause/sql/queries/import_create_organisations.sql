-- New organisations from a file.
insert into public.organisations (
  id, external_id, name, time_zone, language, role_word, required_certification_kinds
)
select
  r.id,
  r.external_id,
  r.name,
  r.time_zone,
  r.language,
  r.role_word,
  r.required_certification_kinds
from jsonb_to_recordset(%(rows)s::jsonb) as r (
  id uuid, external_id text, name text, time_zone text, language text, role_word text, required_certification_kinds text[]
)
