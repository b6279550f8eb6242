-- The chapters the reader answers for: all of the organisations they administer, and those they coordinate.
select
  c.id as chapter_id,
  c.name,
  c.organisation_id
from public.chapters as c
where c.organisation_id = any(%(whole)s::uuid[]) or c.id = any(%(chapters)s::uuid[])
order by c.name, c.id
