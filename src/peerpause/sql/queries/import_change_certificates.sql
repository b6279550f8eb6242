-- Certificates whose last day a file says anew.
update public.certifications as c
set expires_on = r.expires_on
from jsonb_to_recordset(%(rows)s::jsonb) as r (id uuid, expires_on date)
where c.id = r.id
