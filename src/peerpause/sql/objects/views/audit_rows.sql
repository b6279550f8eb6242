-- Every row that the audit chain vouches for, in one shape.
create view peerpause.audit_rows as
select
  h.organisation_id, h.id as entry_id, 'history' as kind, h.mentor_id, h.changed_by as person_id, h.note,
  h.changed_at as recorded_at, h.told_at is not null as is_due, peerpause.history_facts(h) as facts
from public.peer_mentor_status_history as h
union all
select
  r.organisation_id, r.id, 'renewal', r.mentor_id, r.recorded_by, r.note,
  r.recorded_at, true, peerpause.renewal_facts(r)
from public.certification_renewals as r
union all
select
  o.organisation_id, o.id, 'override', o.mentor_id, o.granted_by, o.justification,
  o.granted_at, true, peerpause.override_facts(o)
from public.certification_overrides as o;

comment on view peerpause.audit_rows is 'History, renewals and overrides as the audit chain sees them.';

revoke all on table peerpause.audit_rows from public, anon, authenticated, service_role;
