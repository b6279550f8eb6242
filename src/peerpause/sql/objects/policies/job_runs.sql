-- Admins see all runs; coordinators see those they started.
create policy "admins see all runs and others those they started"
on public.job_runs for select to authenticated
using (
  started_by = (select auth.uid())
  or cardinality((select peerpause.my_organisations())::uuid[]) > 0
);

grant select on public.job_runs to authenticated;
grant select, insert, update, delete on public.job_runs to service_role;
