-- Adds an address that is told of every change to the organisation's public rosters, for its admins.
--
-- Answers the endpoint with its secret: the only time the secret is shown. The first endpoint of an organisation also notes
-- what the rosters show now, so that changes are told from here on. Refuses: 22023 an address that cannot be a public website's,
-- or an eleventh endpoint; 42501 not yours. Locks: the organisation's endpoints, so that two at once count each other.
create function peerpause.create_webhook_endpoint(p_organisation_id uuid, p_url text)
returns table (endpoint_id uuid, url text, secret text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := peerpause.new_webhook_secret();
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  perform peerpause.require_webhook_url(p_url);
  insert into peerpause.roster_watches (organisation_id) values (p_organisation_id)
  on conflict on constraint roster_watches_pkey do nothing;
  if found then
    insert into peerpause.roster_published (organisation_id, chapter_id, mentor_id, digest)
    select d.organisation_id, d.chapter_id, d.mentor_id, d.digest
    from peerpause.roster_digests(p_organisation_id) as d;
  end if;
  perform from peerpause.roster_watches as w where w.organisation_id = p_organisation_id for update;
  if (select count(*) from public.webhook_endpoints as e where e.organisation_id = p_organisation_id and e.active) >= 10 then
    raise exception 'an organisation has at most ten webhook endpoints' using errcode = '22023', hint = 'Disable one first.';
  end if;
  return query
  insert into public.webhook_endpoints as e (organisation_id, url, secret, created_by)
  values (p_organisation_id, p_url, v_secret, peerpause.caller())
  returning e.id, e.url, e.secret;
end
$$;

create function public.create_webhook_endpoint(p_organisation_id uuid, p_url text)
returns table (endpoint_id uuid, url text, secret text)
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select c.* from peerpause.create_webhook_endpoint(p_organisation_id, p_url) as c;
end
$$;

-- Refuses (22023) what cannot be the https address of a public website: an address in numbers, a name without a dot or from a
-- local zone, a user name in it. Where the name leads is looked at each time something is sent there.
create function peerpause.require_webhook_url(p_url text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_host constant text := lower(substring(p_url from '^https://([^/:]+)'));
begin
  if
    p_url is null
    or char_length(p_url) > 2000
    or p_url !~ '^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[!-~]*)?$'
    -- The last label begins with a letter: no address in numbers, however it is written.
    or v_host !~ '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$'
    or v_host ~ '\.(localhost|localdomain|local|internal|intranet|private|corp|home|lan|arpa|onion|invalid)$'
  then
    raise exception 'this is not the https address of a public website'
      using errcode = '22023', hint = 'Give an address like https://www.example.org/hooks/peerpause.';
  end if;
end
$$;
