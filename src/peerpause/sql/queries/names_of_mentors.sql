-- The names of these mentors, of those the reader may see. Parameter: mentor_ids.
select p.id as mentor_id, p.display_name
from public.peer_mentors as p
where p.id = any(%(mentor_ids)s::uuid[])
order by p.display_name, p.id
