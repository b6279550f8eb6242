-- Changes that have been told, as far as the caller may see them, in the order given; row security decides.
-- Parameters: organisations and ids, two lists of one length.
select h.id, h.mentor_id, h.previous_status, h.new_status, h.changed_at
from unnest(%(organisations)s::uuid[], %(ids)s::uuid[]) with ordinality as t (organisation_id, id, place)
inner join public.peer_mentor_status_history as h on h.organisation_id = t.organisation_id and h.id = t.id
order by t.place
