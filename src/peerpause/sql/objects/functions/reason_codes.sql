-- Why a status may change. Organisations edit the labels, never the codes.
-- The same list stands in peerpause.status.rules; a test compares them.
create function peerpause.reason_codes()
returns text[]
language sql
immutable
parallel safe
return array[
  'self_pause', 'coordinator_pause', 'illness', 'travel', 'personal', 'family', 'work_or_study', 'other',
  'returned', 'resigned', 'deactivated',
  'certification_expired', 'certification_renewed', 'return_date_reached', 'resignation_step'
];

-- Codes that only the system gives, because rules depend on them.
create function peerpause.system_reason_codes()
returns text[]
language sql
immutable
parallel safe
return array['certification_expired', 'certification_renewed', 'return_date_reached', 'resignation_step'];

-- Whether a person may give this reason: a known one, and not one of the system's own. Null for none.
create function peerpause.people_may_give(p_reason text)
returns boolean
language sql
immutable
parallel safe
return p_reason = any(peerpause.reason_codes()) and p_reason <> all(peerpause.system_reason_codes());
