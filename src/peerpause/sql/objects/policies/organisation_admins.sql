-- Admins see who else is one.
create policy "admins see the admins of their organisation"
on public.organisation_admins for select to authenticated
using (
  user_id = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.organisation_admins to authenticated;
grant select, insert, update, delete on public.organisation_admins to service_role;
