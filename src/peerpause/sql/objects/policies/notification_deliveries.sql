-- The delivery log is for admins.
create policy "admins see the deliveries of their organisation"
on public.notification_deliveries for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.notification_deliveries to authenticated;
grant select, insert, update, delete on public.notification_deliveries to service_role;
