-- Admins see what was wrong in their organisation.
create policy "admins see the incidents of their organisation"
on public.watchdog_incidents for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.watchdog_incidents to authenticated;
grant select, insert, update, delete on public.watchdog_incidents to service_role;
