-- Certificates that are not recorded yet.
insert into public.certifications (id, organisation_id, mentor_id, kind, issued_on, expires_on)
select
  r.id,
  r.organisation_id,
  r.mentor_id,
  r.kind,
  r.issued_on,
  r.expires_on
from jsonb_to_recordset(%(rows)s::jsonb) as r (
  id uuid, organisation_id uuid, mentor_id uuid, kind text, issued_on date, expires_on date
)
