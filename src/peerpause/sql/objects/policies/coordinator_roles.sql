-- Coordinators see their own roles and those beside them in the same chapter; admins the organisation's.
create policy "coordinators see who shares their chapters"
on public.coordinator_roles for select to authenticated
using (
  user_id = (select auth.uid())
  or chapter_id = any((select peerpause.my_chapters())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.coordinator_roles to authenticated;
grant select, insert, update, delete on public.coordinator_roles to service_role;
