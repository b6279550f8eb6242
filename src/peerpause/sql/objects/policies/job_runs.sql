-- Admins see their organisation's runs and the nightly ones, which are everybody's; coordinators those they started.
create policy "admins see their own runs and the nightly, others their own"
on public.job_runs for select to authenticated
using (
  started_by = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or (organisation_id is null and started_by is null and cardinality((select peerpause.my_organisations())::uuid[]) > 0)
);

grant select on public.job_runs to authenticated;
grant select, insert, update, delete on public.job_runs to service_role;
