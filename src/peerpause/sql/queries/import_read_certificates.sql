-- The certificates of some mentors.
select
  c.id,
  c.mentor_id,
  c.kind,
  c.issued_on,
  c.expires_on
from public.certifications as c
where c.mentor_id = any(%(mentor_ids)s::uuid[])
order by c.id
