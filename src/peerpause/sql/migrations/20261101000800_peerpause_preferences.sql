-- How people want to be told: a function by which each sets their own preferences. Adds nothing to any table.

-- Sets how the caller wants to be told: all facts at once. Turning pushes off keeps the inbox; in quiet hours pushes wait.
--
-- p_language is nb, nn or en, or null for the organisation's; p_time_zone a zone PostgreSQL knows, or null for the organisation's;
-- the quiet hours are times of day in that zone, both or none, and may span midnight. Answers the preferences as they are kept.
-- Refuses: 22023 a value that cannot be kept, 42501 nobody is signed in, PT404 the caller has no entry in the directory.
-- Locks: the caller's row of people.
create function peerpause.set_notification_preferences(
  p_push_enabled boolean,
  p_email_preferred boolean,
  p_language text,
  p_time_zone text,
  p_quiet_from time,
  p_quiet_until time
)
returns table (push_enabled boolean, email_preferred boolean, language text, time_zone text, quiet_from time, quiet_until time)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := auth.uid();
begin
  if v_caller is null then
    raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a signed-in person.';
  end if;
  if p_push_enabled is null or p_email_preferred is null then
    raise exception 'it is not said whether pushes and e-mail are wanted'
      using errcode = '22023', hint = 'Pass p_push_enabled and p_email_preferred as true or false.';
  end if;
  if p_language not in ('nb', 'nn', 'en') then
    raise exception 'unknown language' using errcode = '22023', hint = 'One of: nb, nn, en, or none.';
  end if;
  if p_time_zone is not null and not exists (select from pg_timezone_names as z where z.name = p_time_zone) then
    raise exception 'unknown time zone' using errcode = '22023', hint = 'A name such as Europe/Oslo, or none.';
  end if;
  if (p_quiet_from is null) <> (p_quiet_until is null) then
    raise exception 'quiet hours have a beginning and an end' using errcode = '22023', hint = 'Pass both, or neither.';
  end if;
  return query
  update public.people as p
  set
    push_enabled = p_push_enabled,
    email_preferred = p_email_preferred,
    language = p_language,
    time_zone = p_time_zone,
    quiet_from = p_quiet_from,
    quiet_until = p_quiet_until
  where p.user_id = v_caller
  returning p.push_enabled, p.email_preferred, p.language, p.time_zone, p.quiet_from, p.quiet_until;
  if not found then
    raise exception 'you are not in the directory' using errcode = 'PT404', hint = 'Ask an admin to add you.';
  end if;
end
$$;

create function public.set_notification_preferences(
  p_push_enabled boolean,
  p_email_preferred boolean,
  p_language text default null,
  p_time_zone text default null,
  p_quiet_from time default null,
  p_quiet_until time default null
)
returns table (push_enabled boolean, email_preferred boolean, language text, time_zone text, quiet_from time, quiet_until time)
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select s.*
  from peerpause.set_notification_preferences(
    p_push_enabled, p_email_preferred, p_language, p_time_zone, p_quiet_from, p_quiet_until
  ) as s;
end
$$;

-- Everybody who is signed in says for themselves how they want to be told.
revoke all on function
peerpause.set_notification_preferences(boolean, boolean, text, text, time, time),
public.set_notification_preferences(boolean, boolean, text, text, time, time)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.set_notification_preferences(boolean, boolean, text, text, time, time),
public.set_notification_preferences(boolean, boolean, text, text, time, time)
to authenticated, service_role;
