-- Registers the device in the caller's hand: a registration token, or a Firebase installation id (p_kind fid).
-- A token has one owner: whoever signs in on the device takes it over. Registering again brings a retired token back and moves
-- last_seen_at. 42501: nobody is signed in. 22023: unknown platform or kind, or an implausible token.
create function peerpause.register_device_token(p_token text, p_platform text, p_kind text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant uuid := (select auth.uid());
begin
  if v_user_id is null then
    raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a signed-in person.';
  end if;
  if p_platform is null or p_platform not in ('android', 'ios', 'web') then
    raise exception 'unknown platform' using errcode = '22023', hint = 'One of: android, ios, web.';
  end if;
  if p_kind is null or p_kind not in ('token', 'fid') then
    raise exception 'unknown kind of device token' using errcode = '22023', hint = 'One of: token, fid.';
  end if;
  -- Two tests, because a regular expression of PostgreSQL's counts to 255 at most.
  if p_token is null or char_length(p_token) not between 8 and 4096 or p_token !~ '^[!-~]+$' then
    raise exception 'this is not a device token' using errcode = '22023', hint = 'Pass what the Firebase SDK gave you, unchanged.';
  end if;
  insert into public.device_tokens (token, user_id, platform, kind)
  values (p_token, v_user_id, p_platform, p_kind)
  on conflict (token) do update
  set
    user_id = excluded.user_id,
    platform = excluded.platform,
    kind = excluded.kind,
    last_seen_at = now(),
    retired_at = null,
    retired_because = null;
end
$$;

create function public.register_device_token(p_token text, p_platform text, p_kind text default 'token')
returns void
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.register_device_token(p_token, p_platform, p_kind);
end
$$;

-- Signing out releases the device. Answers whether it was the caller's.
create function peerpause.release_device_token(p_token text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.device_tokens as d where d.token = p_token and d.user_id = (select auth.uid());
  return found;
end
$$;

create function public.release_device_token(p_token text)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.release_device_token(p_token);
end
$$;
