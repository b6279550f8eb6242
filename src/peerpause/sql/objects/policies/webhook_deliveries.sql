-- The delivery log of webhooks is for admins.
create policy "admins see the webhook deliveries of their organisation"
on public.webhook_deliveries for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

revoke all on public.webhook_deliveries from public, anon, authenticated, service_role;
grant select on public.webhook_deliveries to authenticated;
grant select, insert, update, delete on public.webhook_deliveries to service_role;
