-- The chapters the reader answers for: those they coordinate, and all of the organisations they administer.
select
  c.id as chapter_id,
  c.name,
  c.organisation_id
from public.chapters as c
where
  c.id = any((select peerpause.my_chapters())::uuid[])
  or c.organisation_id = any((select peerpause.my_organisations())::uuid[])
order by c.name, c.id
