-- Imports by an organisation's own admin: what they change about coordinators is recorded as if they had done it one by one.
-- Adds one function and opens the clock to the service role, as which the import is carried out; touches no table.

-- Records which coordinators' roles an admin's import has given or taken: p_roles is [{chapter_id, person_id, given}, …].
-- For the service role only. Locks nothing.
create function peerpause.record_imported_roles(p_organisation_id uuid, p_changed_by uuid, p_roles jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.organisation_changes (organisation_id, kind, chapter_id, person_id, changed_by)
  select
    p_organisation_id,
    case when r.given then 'coordinator_given' else 'coordinator_taken' end,
    r.chapter_id,
    r.person_id,
    p_changed_by
  from jsonb_to_recordset(p_roles) as r (chapter_id uuid, person_id uuid, given boolean);
end
$$;

revoke all on function peerpause.record_imported_roles(uuid, uuid, jsonb) from public, anon, authenticated, service_role;
grant execute on function peerpause.record_imported_roles(uuid, uuid, jsonb) to service_role;
grant execute on function peerpause.clock() to service_role;
