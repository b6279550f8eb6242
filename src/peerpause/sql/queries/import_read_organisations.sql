-- The organisations that files name: by external id, or by id where they came in by another way.
select
  coalesce(o.external_id, o.id::text) as key,
  o.id,
  o.name,
  o.time_zone,
  o.language,
  o.role_word,
  o.required_certification_kinds
from public.organisations as o
where
  o.external_id = any(%(keys)s::text[])
  or (o.external_id is null and o.id::text = any(%(keys)s::text[]))
