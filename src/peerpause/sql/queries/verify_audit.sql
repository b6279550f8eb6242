-- How the audit of an organisation stands. Parameters: organisation_id, at_most (findings).
select v.report
from public.verify_audit(p_organisation_id => %(organisation_id)s::uuid, p_limit => %(at_most)s::integer) as v (report)
