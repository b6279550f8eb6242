-- A request over HTTP whose work is more than one function claims its key before it begins. Answers in o_state: `claimed`, do it,
-- within the lease that ends at o_until; `answered`, with the first answer; `running`, the first is still at it; `reused`, the key
-- was used for another request. A lease that has run out is taken over: its process died.
-- 22023: a key too long. 42501: nobody is signed in. Locks the key's row.
create function peerpause.claim_key(
  p_key text,
  p_request text,
  p_fingerprint text,
  p_lease interval,
  out o_state text,
  out o_until timestamptz,
  out o_response jsonb
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := peerpause.key_holder();
  v_until constant timestamptz := clock_timestamp() + p_lease;
  v_kept public.idempotency_keys;
begin
  if char_length(p_key) not between 1 and 255 then
    raise exception 'an idempotency key has 1 to 255 characters' using errcode = '22023', hint = 'A random uuid is a good key.';
  end if;
  delete from public.idempotency_keys as k
  where k.caller = v_caller and k.key = p_key and k.created_at < now() - interval '24 hours';
  insert into public.idempotency_keys (caller, key, request, fingerprint, running_until)
  values (v_caller, p_key, p_request, p_fingerprint, v_until)
  on conflict (caller, key) do nothing;
  if found then
    o_state := 'claimed';
    o_until := v_until;
    return;
  end if;
  select * into v_kept from public.idempotency_keys as k where k.caller = v_caller and k.key = p_key for update;
  if not found then
    -- The first has just been refused and let go of the key.
    o_state := 'running';
  elsif (v_kept.request, v_kept.fingerprint) is distinct from (p_request, p_fingerprint) then
    o_state := 'reused';
  elsif v_kept.response is not null then
    o_state := 'answered';
    o_response := v_kept.response;
  elsif v_kept.running_until >= clock_timestamp() then
    o_state := 'running';
  else
    update public.idempotency_keys as k set running_until = v_until where k.caller = v_caller and k.key = p_key;
    o_state := 'claimed';
    o_until := v_until;
  end if;
end
$$;

-- Moves the end of a lease on while the request still runs. Answers its new end; null where somebody else has taken it over.
-- 42501: nobody is signed in.
create function peerpause.extend_claim(p_key text, p_until timestamptz, p_lease interval)
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_until timestamptz;
begin
  update public.idempotency_keys as k
  set running_until = clock_timestamp() + p_lease
  where k.caller = peerpause.key_holder() and k.key = p_key and k.running_until = p_until and k.response is null
  returning k.running_until into v_until;
  return v_until;
end
$$;

-- Ends a claim: with an answer, which is kept and given again; without one, the key is free. Does nothing where the claim has been
-- taken over. 42501: nobody is signed in.
create function peerpause.settle_claim(p_key text, p_until timestamptz, p_response jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_response is null then
    delete from public.idempotency_keys as k
    where k.caller = peerpause.key_holder() and k.key = p_key and k.running_until = p_until and k.response is null;
    return;
  end if;
  update public.idempotency_keys as k
  set response = p_response
  where k.caller = peerpause.key_holder() and k.key = p_key and k.running_until = p_until and k.response is null;
end
$$;

-- Whose keys a request uses: the signed-in person's; the nil uuid's for the service role. 42501: nobody is signed in.
create function peerpause.key_holder()
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if peerpause.caller_is_service() then
    return '00000000-0000-0000-0000-000000000000'::uuid;
  end if;
  if auth.uid() is null then
    raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a signed-in person.';
  end if;
  return auth.uid();
end
$$;
