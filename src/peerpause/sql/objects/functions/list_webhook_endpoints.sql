-- The organisation's endpoints with how deliveries to them go, for its admins. Never the secret. 42501: not yours.
create function peerpause.list_webhook_endpoints(p_organisation_id uuid)
returns table (
  endpoint_id uuid,
  url text,
  active boolean,
  created_at timestamptz,
  disabled_at timestamptz,
  disabled_because text,
  last_sent_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  waiting bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  return query
  select
    e.id, e.url, e.active, e.created_at, e.disabled_at, e.disabled_because,
    d.last_sent_at, f.tried_at, f.error_code, d.waiting
  from public.webhook_endpoints as e
  left join lateral (
    select
      max(w.settled_at) filter (where w.state = 'sent') as last_sent_at,
      count(*) filter (where w.state = 'pending') as waiting
    from public.webhook_deliveries as w
    where w.endpoint_id = e.id
  ) as d on true
  left join lateral (
    select w.tried_at, w.error_code
    from public.webhook_deliveries as w
    where w.endpoint_id = e.id and w.error_code is not null
    order by w.tried_at desc nulls last
    limit 1
  ) as f on true
  where e.organisation_id = p_organisation_id
  order by e.created_at, e.id;
end
$$;

create function public.list_webhook_endpoints(p_organisation_id uuid)
returns table (
  endpoint_id uuid,
  url text,
  active boolean,
  created_at timestamptz,
  disabled_at timestamptz,
  disabled_because text,
  last_sent_at timestamptz,
  last_failed_at timestamptz,
  last_error text,
  waiting bigint
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select l.* from peerpause.list_webhook_endpoints(p_organisation_id) as l;
end
$$;
