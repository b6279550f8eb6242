-- Whether this request was made before, and what it was answered. A second request with the key of one that is still running
-- waits for it here. 22023: the key was used for something else.
create function peerpause.first_answer(
  p_key text,
  p_request text,
  p_organisation_id uuid,
  p_arguments jsonb,
  out o_known boolean,
  out o_response jsonb
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := coalesce(peerpause.caller(), '00000000-0000-0000-0000-000000000000');
  v_fingerprint constant text := encode(sha256(convert_to(p_request || p_arguments::text, 'UTF8')), 'hex');
  v_kept public.idempotency_keys;
begin
  o_known := false;
  if p_key is null then
    return;
  end if;
  if char_length(p_key) not between 1 and 255 then
    raise exception 'an idempotency key has 1 to 255 characters' using errcode = '22023', hint = 'A random uuid is a good key.';
  end if;
  delete from public.idempotency_keys as k
  where k.caller = v_caller and k.key = p_key and k.created_at < now() - interval '24 hours';
  insert into public.idempotency_keys (caller, key, organisation_id, request, fingerprint)
  values (v_caller, p_key, p_organisation_id, p_request, v_fingerprint)
  on conflict (caller, key) do nothing;
  if found then
    return;
  end if;
  select * into v_kept from public.idempotency_keys as k where k.caller = v_caller and k.key = p_key;
  if v_kept.fingerprint is distinct from v_fingerprint then
    raise exception 'this idempotency key was used for another request'
      using errcode = '22023', hint = 'Use a new key for a new request.';
  end if;
  o_known := true;
  o_response := v_kept.response;
end
$$;

-- Keeps the answer beside the key, in the transaction of the change.
create function peerpause.keep_answer(p_key text, p_response jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_key is not null then
    update public.idempotency_keys as k
    set response = p_response
    where k.caller = coalesce(peerpause.caller(), '00000000-0000-0000-0000-000000000000') and k.key = p_key;
  end if;
end
$$;
