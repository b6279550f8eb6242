-- What the history holds of made-up mentors. Parameters: mentor_ids.
select h.id
from public.peer_mentor_status_history as h
where h.mentor_id = any(%(mentor_ids)s::uuid[])
order by h.id
