-- Whoever has a part in an organisation sees it.
create policy "people see the organisations they belong to"
on public.organisations for select to authenticated
using (
  id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.peer_mentors as p
    where p.organisation_id = organisations.id and p.user_id = (select auth.uid())
  )
  or exists (
    select from public.coordinator_roles as r
    where r.organisation_id = organisations.id and r.user_id = (select auth.uid()) and r.active
  )
);

grant select on public.organisations to authenticated;
grant select, insert, update, delete on public.organisations to service_role;
