-- The public roster and its webhooks: who may call what, and the tables that are for the worker alone.
grant select, insert, update, delete on peerpause.roster_watches to service_role;
grant select, insert, update, delete on peerpause.roster_published to service_role;
grant select on peerpause.inbound_secrets to service_role;

revoke all on function
peerpause.update_public_profile(uuid, boolean, text[], text, text),
peerpause.require_languages(text[]),
peerpause.require_public_contact(text),
peerpause.has_hidden_characters(text),
peerpause.public_chapter(uuid),
peerpause.authorise_organisation(uuid),
peerpause.new_webhook_secret(),
peerpause.create_webhook_endpoint(uuid, text),
peerpause.require_webhook_url(text),
peerpause.list_webhook_endpoints(uuid),
peerpause.rotate_webhook_secret(uuid),
peerpause.disable_webhook_endpoint(uuid),
peerpause.retire_webhook_endpoint(uuid, text),
peerpause.roster_digests(uuid),
peerpause.rotate_inbound_secret(uuid),
peerpause.revoke_inbound_secret(uuid),
peerpause.receive_certificate_updates(uuid, text, jsonb),
public.update_public_profile(uuid, boolean, text[], text, text),
public.public_chapter(uuid),
public.create_webhook_endpoint(uuid, text),
public.list_webhook_endpoints(uuid),
public.rotate_webhook_secret(uuid),
public.disable_webhook_endpoint(uuid),
public.rotate_inbound_secret(uuid),
public.revoke_inbound_secret(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.public_chapter(uuid),
public.public_chapter(uuid)
to anon, authenticated, service_role;

-- The work behind the functions of public checks the caller itself.
grant execute on function
peerpause.update_public_profile(uuid, boolean, text[], text, text),
peerpause.create_webhook_endpoint(uuid, text),
peerpause.list_webhook_endpoints(uuid),
peerpause.rotate_webhook_secret(uuid),
peerpause.disable_webhook_endpoint(uuid),
peerpause.rotate_inbound_secret(uuid),
peerpause.revoke_inbound_secret(uuid),
public.update_public_profile(uuid, boolean, text[], text, text),
public.create_webhook_endpoint(uuid, text),
public.list_webhook_endpoints(uuid),
public.rotate_webhook_secret(uuid),
public.disable_webhook_endpoint(uuid),
public.rotate_inbound_secret(uuid),
public.revoke_inbound_secret(uuid)
to authenticated, service_role;

-- Background work is the service role's alone.
grant execute on function
peerpause.roster_digests(uuid),
peerpause.retire_webhook_endpoint(uuid, text),
peerpause.receive_certificate_updates(uuid, text, jsonb)
to service_role;
