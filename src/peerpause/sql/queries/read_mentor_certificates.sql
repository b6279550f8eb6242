-- A mentor's certificates, the one that runs out last first; row security decides whose may be seen. Parameter: mentor_id.
select c.id, c.kind, c.issued_on, c.expires_on, c.recorded_at
from public.certifications as c
where c.mentor_id = %(mentor_id)s::uuid
order by c.expires_on desc nulls first, c.issued_on desc, c.id desc
limit 200
