-- Gives the organisation a new secret for signing its own certificate updates to us, for admins; the first one opens that door.
-- Answers it: the only time it is shown. The one before is taken for another day. 42501: not yours.
create function peerpause.rotate_inbound_secret(p_organisation_id uuid)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := peerpause.new_webhook_secret();
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  insert into peerpause.inbound_secrets as s (organisation_id, secret, created_by)
  values (p_organisation_id, v_secret, peerpause.caller())
  on conflict on constraint inbound_secrets_pkey do update
  set
    previous_secret = s.secret,
    previous_secret_until = now() + interval '1 day',
    secret = excluded.secret,
    created_by = excluded.created_by,
    created_at = now();
  return v_secret;
end
$$;

create function public.rotate_inbound_secret(p_organisation_id uuid)
returns text
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.rotate_inbound_secret(p_organisation_id);
end
$$;

-- Closes the door for certificate updates again, for admins. Answers whether it was open. 42501: not yours.
create function peerpause.revoke_inbound_secret(p_organisation_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  delete from peerpause.inbound_secrets as s where s.organisation_id = p_organisation_id;
  return found;
end
$$;

create function public.revoke_inbound_secret(p_organisation_id uuid)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.revoke_inbound_secret(p_organisation_id);
end
$$;
