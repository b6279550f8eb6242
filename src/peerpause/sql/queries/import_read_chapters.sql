-- All chapters of some organisations, by the codes that files use for them.
select
  c.organisation_id,
  coalesce(c.external_id, c.id::text) as key,
  c.id,
  c.name
from public.chapters as c
where c.organisation_id = any(%(organisation_ids)s::uuid[])
