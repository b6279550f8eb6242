-- Chapters that a file names anew.
update public.chapters as c
set name = r.name
from jsonb_to_recordset(%(rows)s::jsonb) as r (id uuid, name text)
where c.id = r.id
