-- The names of those who started these runs of the certificate check by hand, where the caller may see the run: it is their own, or
-- one in an organisation they administer. Takes no lock.
create function peerpause.starters_of_runs(p_run_ids uuid[])
returns table (run_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select j.id, p.display_name
  from public.job_runs as j
  inner join public.people as p on p.user_id = j.started_by
  where
    j.id = any(p_run_ids)
    and (
      peerpause.caller_is_service()
      or j.started_by = (select auth.uid())
      or j.organisation_id = any((select peerpause.my_organisations())::uuid[])
    );
end
$$;
