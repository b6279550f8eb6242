-- Retention: admins decide for their organisation, the worker carries it out.
revoke all on function
peerpause.get_retention(uuid),
peerpause.set_retention(uuid, integer, integer, integer, integer, integer),
peerpause.retain(uuid, integer, boolean),
peerpause.retain_shared(boolean),
peerpause.begin_retention_run(uuid),
peerpause.retain_batch(uuid, integer),
public.get_retention(uuid),
public.set_retention(uuid, integer, integer, integer, integer, integer)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.get_retention(uuid),
peerpause.set_retention(uuid, integer, integer, integer, integer, integer),
public.get_retention(uuid),
public.set_retention(uuid, integer, integer, integer, integer, integer)
to authenticated, service_role;

grant execute on function
peerpause.retain(uuid, integer, boolean),
peerpause.retain_shared(boolean),
peerpause.begin_retention_run(uuid),
peerpause.retain_batch(uuid, integer)
to service_role;
