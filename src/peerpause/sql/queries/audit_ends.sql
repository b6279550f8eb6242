-- Where the audit chains end, of the organisations the caller administers.
select e.organisation_id, e.place, e.hash
from public.audit_ends() as e
