-- Why a status may change. Organisations edit the labels, never the codes.
-- The same list stands in peerpause.status.rules; a test compares them.
create function peerpause.reason_codes()
returns text[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return array[
    'self_pause', 'coordinator_pause', 'illness', 'travel', 'personal', 'family', 'work_or_study', 'other',
    'returned', 'resigned', 'deactivated',
    'certification_expired', 'certification_renewed', 'return_date_reached', 'resignation_step'
  ];
end
$$;

-- Codes that only the system gives, because rules depend on them.
create function peerpause.system_reason_codes()
returns text[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return array['certification_expired', 'certification_renewed', 'return_date_reached', 'resignation_step'];
end
$$;
