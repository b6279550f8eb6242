-- Gives an endpoint a new secret, for admins. Answers it: the only time it is shown. For a day messages are signed with the old
-- one too, so that the website can change over without missing any. 42501: no such endpoint, or not yours.
create function peerpause.rotate_webhook_secret(p_endpoint_id uuid)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := peerpause.new_webhook_secret();
begin
  perform peerpause.authorise_organisation(
    (select e.organisation_id from public.webhook_endpoints as e where e.id = p_endpoint_id)
  );
  update public.webhook_endpoints as e
  set previous_secret = e.secret, previous_secret_until = now() + interval '1 day', secret = v_secret
  where e.id = p_endpoint_id;
  return v_secret;
end
$$;

create function public.rotate_webhook_secret(p_endpoint_id uuid)
returns text
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.rotate_webhook_secret(p_endpoint_id);
end
$$;
