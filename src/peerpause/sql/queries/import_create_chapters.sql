-- New chapters from a file.
insert into public.chapters (id, organisation_id, external_id, name)
select
  r.id,
  r.organisation_id,
  r.external_id,
  r.name
from jsonb_to_recordset(%(rows)s::jsonb) as r (id uuid, organisation_id uuid, external_id text, name text)
