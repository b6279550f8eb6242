-- How long an organisation keeps things. Parameter: organisation_id.
select r.notes_months, r.deliveries_days, r.inbox_days, r.runs_days, r.reads_days
from public.get_retention(p_organisation_id => %(organisation_id)s::uuid) as r
