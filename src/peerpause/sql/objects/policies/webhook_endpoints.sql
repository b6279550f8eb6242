-- Admins see where their organisation's webhooks go, but not the secrets.
create policy "admins see the webhooks of their organisation"
on public.webhook_endpoints for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select (id, organisation_id, url, active, created_by, created_at, disabled_at, disabled_because)
on public.webhook_endpoints to authenticated;
grant select, insert, update, delete on public.webhook_endpoints to service_role;
