-- The recorded renewals of a mentor's certificates, newest first; row security decides whose may be seen. Parameter: mentor_id.
select r.kind, r.issued_on, r.expires_on, r.ended_pause, r.recorded_by, r.recorded_at
from public.certification_renewals as r
where r.mentor_id = %(mentor_id)s::uuid
order by r.recorded_at desc
limit 50
