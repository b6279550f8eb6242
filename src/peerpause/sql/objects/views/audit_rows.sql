-- Every row that the audit chain vouches for, in one shape. facts are what the chain says of it, as a JSON array of texts; who did it and
-- the note go in as digests beside them. Written out here, and not in functions, for it is asked for every change.
create view peerpause.audit_rows as
select
  h.organisation_id, h.id as entry_id, 'history' as kind, h.mentor_id, h.changed_by as person_id, h.note,
  h.changed_at as recorded_at, h.told_at is not null as is_due,
  json_build_array(
    h.mentor_id, h.previous_status, h.new_status, to_char(h.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    h.reason, h.expected_return_on, h.certification_expires_at, h.job_run_id
  ) as facts
from public.peer_mentor_status_history as h
union all
select
  r.organisation_id, r.id, 'renewal', r.mentor_id, r.recorded_by, r.note, r.recorded_at, true,
  json_build_array(
    r.mentor_id, r.certification_id, r.kind, r.issued_on, r.expires_on, r.previous_expires_on, r.ended_pause::text,
    to_char(r.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  )
from public.certification_renewals as r
union all
select
  o.organisation_id, o.id, 'override', o.mentor_id, o.granted_by, o.justification, o.granted_at, true,
  json_build_array(o.mentor_id, o.valid_until, to_char(o.granted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
from public.certification_overrides as o;

comment on view peerpause.audit_rows is 'History, renewals and overrides as the audit chain sees them.';

revoke all on table peerpause.audit_rows from public, anon, authenticated, service_role;
