-- Holds a mentor's row to the end of the transaction, so that nobody changes the mentor in between. No row where it is not the
-- reader's to change. Parameter: mentor_id.
select p.id as mentor_id
from public.peer_mentors as p
where p.id = %(mentor_id)s
for update
