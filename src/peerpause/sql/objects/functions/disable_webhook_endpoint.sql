-- Stops sending to an endpoint, for admins; what was waiting for it is given up. Answers whether it was active until now.
-- 42501: no such endpoint, or not yours.
create function peerpause.disable_webhook_endpoint(p_endpoint_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(
    (select e.organisation_id from public.webhook_endpoints as e where e.id = p_endpoint_id)
  );
  return peerpause.retire_webhook_endpoint(p_endpoint_id, 'by_admin');
end
$$;

create function public.disable_webhook_endpoint(p_endpoint_id uuid)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.disable_webhook_endpoint(p_endpoint_id);
end
$$;

-- Takes an endpoint out of service for a reason (by_admin, gone) and gives up what was waiting for it. Locks: the endpoint, then
-- its waiting deliveries.
create function peerpause.retire_webhook_endpoint(p_endpoint_id uuid, p_because text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.webhook_endpoints as e
  set active = false, disabled_at = clock_timestamp(), disabled_because = p_because
  where e.id = p_endpoint_id and e.active;
  if not found then
    return false;
  end if;
  update public.webhook_deliveries as d
  set state = 'failed', error_code = 'endpoint_disabled', settled_at = clock_timestamp()
  where d.endpoint_id = p_endpoint_id and d.state = 'pending';
  return true;
end
$$;
