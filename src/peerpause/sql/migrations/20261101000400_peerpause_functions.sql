-- The rules: views for clients, the helpers, the state machine and its history, and the functions clients call.
-- From the moment the triggers stand, no path changes a status against the rules or unaudited.

-- The status of each mentor the reader may see.
create view public.peer_mentor_status
with (security_invoker = true) as
select
  p.id as mentor_id,
  p.status,
  p.pause_reason,
  p.pause_at as paused_at,
  p.reactivated_at,
  p.updated_at
from public.peer_mentors as p;

revoke all on table public.peer_mentor_status from public, anon, authenticated, service_role;

-- The history of each mentor the reader may see, without notes.
create view public.mentor_status_history
with (security_invoker = true) as
select
  h.mentor_id,
  h.previous_status as old_status,
  h.new_status,
  h.changed_by,
  h.reason,
  h.changed_at
from public.peer_mentor_status_history as h;

revoke all on table public.mentor_status_history from public, anon, authenticated, service_role;

-- Whether the caller is the service role, or a superuser at a prompt, and not a signed-in person.
-- Reads the role the session has taken (`set role`), which, unlike a claim or a setting, cannot be put on by hand.
create function peerpause.caller_is_service()
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select exists (
      select from pg_catalog.pg_roles as r
      where
        r.rolname = coalesce(nullif(current_setting('role'), 'none'), session_user)
        and (r.rolbypassrls or r.rolsuper)
    )
  );
end
$$;

-- Chapters the signed-in person coordinates today. Roles come from tables, not from the token: who is removed is refused at once.
create function peerpause.my_chapters()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(r.chapter_id), '{}')
    from public.coordinator_roles as r
    where r.user_id = (select auth.uid()) and r.active
  );
end
$$;

-- Organisations the signed-in person administers: their own, or all for a global admin.
create function peerpause.my_organisations()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(o.organisation_id), '{}')
    from (
      select a.organisation_id
      from public.organisation_admins as a
      where a.user_id = (select auth.uid()) and a.active
      union
      select g.id
      from public.organisations as g
      where exists (select from peerpause.global_admins as ga where ga.user_id = (select auth.uid()))
    ) as o
  );
end
$$;

-- The signed-in person's own mentor rows: one in each organisation they serve.
create function peerpause.my_mentors()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(p.id), '{}')
    from public.peer_mentors as p
    where p.user_id = (select auth.uid())
  );
end
$$;

-- The last valid day of the required certificate that has run out by p_today, or null where nothing required has lapsed.
-- For each required kind the latest certificate decides; its last day still counts as valid. A mentor who never had one has
-- not lapsed (and is not certified either: the public roster asks is_certified).
create function peerpause.certification_lapsed_on(p_mentor_id uuid, p_required_kinds text[], p_today date)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select min(l.last_day)
    from (
      select max(coalesce(c.expires_on, 'infinity'::date)) as last_day
      from public.certifications as c
      where c.mentor_id = p_mentor_id and c.kind = any(p_required_kinds) and c.issued_on <= p_today
      group by c.kind
    ) as l
    where l.last_day < p_today
  );
end
$$;

-- Whether every required kind of certificate is valid on p_today.
create function peerpause.is_certified(p_mentor_id uuid, p_required_kinds text[], p_today date)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select not exists (
      select from unnest(p_required_kinds) as k (kind)
      where not exists (
        select from public.certifications as c
        where
          c.mentor_id = p_mentor_id
          and c.kind = k.kind
          and c.issued_on <= p_today
          and coalesce(c.expires_on, 'infinity'::date) >= p_today
      )
    )
  );
end
$$;

-- The last valid day of a lapsed certificate that keeps the mentor from being active today, or null: nothing required has
-- lapsed, or an admin's override covers today.
create function peerpause.blocking_lapse(p_mentor_id uuid, p_organisation_id uuid)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kinds text[];
  v_today date;
begin
  select o.required_certification_kinds, peerpause.today(o.time_zone)
  into v_kinds, v_today
  from public.organisations as o
  where o.id = p_organisation_id;
  if
    v_kinds = '{}'
    or exists (
      select from public.certification_overrides as o
      where o.mentor_id = p_mentor_id and o.valid_until >= v_today
    )
  then
    return null;
  end if;
  return peerpause.certification_lapsed_on(p_mentor_id, v_kinds, v_today);
end
$$;

-- Says no to a move, in words and for programs: DETAIL is JSON with from, to and what is allowed instead.
create function peerpause.refuse_transition(p_from public.mentor_status, p_to public.mentor_status)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'invalid status transition: % -> %', p_from, p_to
    using
      errcode = 'P0001',
      detail = jsonb_build_object(
        'from', p_from,
        'to', p_to,
        'allowed', (
          select coalesce(jsonb_agg(s order by s), '[]')
          from unnest(enum_range(null::public.mentor_status)) as s
          where peerpause.is_valid_transition(p_from, s)
        )
      )::text,
      hint = case
        when p_from = p_to then 'The mentor is ' || p_from || ' already; load the status again.'
        when p_from = 'inactive' then 'A mentor who has left comes back as a new peer_mentors row.'
        else 'Reactivate the mentor first, or use rpc_deactivate_mentor, which takes both steps.'
      end;
end
$$;

-- Says which reasons there are, without repeating the one that was given: it may be somebody's free text.
create function peerpause.refuse_reason(p_reason text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if nullif(btrim(p_reason), '') is null then
    raise exception 'a reason is required' using
      errcode = '22023',
      hint = 'Give one of: ' || array_to_string(peerpause.reason_codes(), ', ');
  end if;
  raise exception 'unknown reason' using
    errcode = '22023',
    hint = 'Give one of: ' || array_to_string(peerpause.reason_codes(), ', ') || '. Free text belongs into the note.';
end
$$;

-- Says that a reason is not for people to give.
create function peerpause.refuse_system_reason(p_reason text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the reason % is given by the system only', p_reason
    using errcode = '22023', hint = 'Give a reason of your own, for example self_pause or other.';
end
$$;

-- The judge of every write to peer_mentors, whoever writes and by whatever path.
--
--   1. moves updated_at strictly forward: it is the optimistic-lock token;
--   2. lets a new mentor start in any status, with the facts that status needs;
--   3. refuses a status change that is not one of the three legal moves (P0001);
--   4. refuses a return to active while a required certificate has lapsed (P0001, hint certification_expired);
--   5. sets and clears the pause columns, so that they say the truth of the new status;
--   6. refuses to edit the facts of a running pause past the audit trail;
--   7. holds a client's own statement to what the functions ask for too: no reason that only the system gives, no return date
--      before the pause, no pause that began long ago.
--
-- Named to fire after any other BEFORE trigger of the table (triggers fire in alphabetical order), so that none changes the
-- row behind its back. A client's own statement is told from ours by row security: it binds clients, not our functions. Of the
-- setting peerpause.change, which a client can put on by hand, only reason and note count in a client's statement.
create function peerpause.guard_peer_mentor()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_client boolean;
  v_change jsonb;
  v_lapsed_on date;
begin
  if tg_op = 'INSERT' then
    new.updated_at := clock_timestamp();
    if new.status = 'paused' then
      new.pause_at := coalesce(new.pause_at, new.updated_at);
      new.pause_reason := coalesce(new.pause_reason, 'other');
    end if;
    return new;
  end if;

  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  if (new.id, new.organisation_id) is distinct from (old.id, old.organisation_id) then
    raise exception 'a mentor keeps id and organisation for life' using errcode = '22023';
  end if;

  if new.status = old.status then
    if
      (new.pause_at, new.pause_reason, new.pause_note, new.expected_return_on)
      is distinct from (old.pause_at, old.pause_reason, old.pause_note, old.expected_return_on)
      and row_security_active('public.peer_mentors')
    then
      raise exception 'the facts of a pause are changed together with the status only'
        using errcode = '42501', hint = 'Reactivate the mentor and pause again with the new facts.';
    end if;
    return new;
  end if;

  if not peerpause.is_valid_transition(old.status, new.status) then
    perform peerpause.refuse_transition(old.status, new.status);
  end if;

  v_client := row_security_active('public.peer_mentors');
  v_change := nullif(current_setting('peerpause.change', true), '')::jsonb;

  if new.status = 'paused' then
    new.pause_at := coalesce(new.pause_at, new.updated_at);
    -- Where the clock was set back, updated_at may lie ahead of it.
    if new.pause_at > new.updated_at then
      raise exception 'pause_at lies in the future'
        using errcode = '22023', hint = 'Use rpc_pause_mentor with p_pause_at: it schedules the pause.';
    end if;
    if new.pause_reason is null then
      raise exception 'a pause needs a reason'
        using errcode = '22023', hint = 'Set pause_reason to one of: ' || array_to_string(peerpause.reason_codes(), ', ');
    end if;
    if not new.pause_reason = any(peerpause.reason_codes()) then
      perform peerpause.refuse_reason(new.pause_reason);
    end if;
    if v_client then
      if new.pause_reason = any(peerpause.system_reason_codes()) then
        perform peerpause.refuse_system_reason(new.pause_reason);
      end if;
      if new.pause_at < new.updated_at - interval '5 minutes' then
        raise exception 'pause_at lies in the past' using errcode = '22023', hint = 'Leave it out to pause now.';
      end if;
      perform peerpause.require_return_date(new.expected_return_on, new.pause_at, new.organisation_id);
    end if;
    return new;
  end if;

  if new.status = 'active' and (v_client or not coalesce((v_change ->> 'resigning')::boolean, false)) then
    if v_client then
      v_lapsed_on := peerpause.blocking_lapse_for_caller(new.id);
    else
      v_lapsed_on := peerpause.blocking_lapse(new.id, new.organisation_id);
    end if;
    if v_lapsed_on is not null then
      raise exception 'the required certificate expired on %', v_lapsed_on
        using
          errcode = 'P0001',
          detail = jsonb_build_object('expired_on', v_lapsed_on)::text,
          hint = 'certification_expired';
    end if;
  end if;

  if new.status = 'inactive' and v_change ->> 'reason' is null then
    raise exception 'a deactivation needs a reason'
      using
        errcode = '22023',
        hint = 'Call update_mentor_status, or first: select set_config(''peerpause.change'', ''{"reason": "resigned"}'', true)';
  end if;
  new.pause_at := null;
  new.pause_reason := null;
  new.pause_note := null;
  new.expected_return_on := null;
  if new.status = 'active' then
    new.reactivated_at := new.updated_at;
  end if;
  return new;
end
$$;

-- Writes the history: one row for every mentor whose status a statement changed or set for the first time, whatever the path.
--
-- Works on the whole statement at once, so that a nightly run of 100,000 mentors costs one insert. Who did it: our functions
-- and jobs say so in the transaction-local setting peerpause.change; that word counts only where row security does not bind
-- the one who ran the statement (argument `trusted`). A client's own statement is recorded with the signed-in person, whatever
-- settings they put on by hand.
create function peerpause.record_status_changes()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trusted boolean := tg_argv[0] = 'trusted';
  v_change jsonb := nullif(current_setting('peerpause.change', true), '')::jsonb;
  v_actor uuid;
begin
  if not v_trusted then
    -- Here and not in the guard, because a client's RETURNING may set the reason after the guard has looked at it.
    perform peerpause.require_reason(v_change ->> 'reason', 'active');
    v_actor := (select auth.uid());
  elsif v_change ? 'actor_id' then
    v_actor := (v_change ->> 'actor_id')::uuid;
  elsif not peerpause.caller_is_service() then
    v_actor := (select auth.uid());
  end if;

  if tg_op = 'INSERT' then
    insert into public.peer_mentor_status_history (
      organisation_id, mentor_id, new_status, changed_by, changed_at, reason, note, expected_return_on
    )
    select n.organisation_id, n.id, n.status, v_actor, n.updated_at, n.pause_reason, n.pause_note, n.expected_return_on
    from new_rows as n;
    return null;
  end if;

  insert into public.peer_mentor_status_history (
    organisation_id, mentor_id, previous_status, new_status, changed_by, changed_at,
    reason, note, expected_return_on, certification_expires_at, job_run_id
  )
  select
    n.organisation_id, n.id, o.status, n.status, v_actor, n.updated_at,
    case when n.status = 'paused' then n.pause_reason else v_change ->> 'reason' end,
    case when n.status = 'paused' then n.pause_note else v_change ->> 'note' end,
    n.expected_return_on,
    case
      when n.pause_reason = 'certification_expired' then (
        select peerpause.certification_lapsed_on(n.id, g.required_certification_kinds, peerpause.today(g.time_zone))
        from public.organisations as g
        where g.id = n.organisation_id
      )
    end,
    case when v_trusted then (v_change ->> 'job_run_id')::uuid end
  from new_rows as n
  inner join old_rows as o on o.id = n.id
  where o.status is distinct from n.status;
  return null;
end
$$;

-- Append-only means everyone: a history row is never changed and never removed.
-- Two exceptions, both ours: the outbox marks a row as told, once; erasing a person blanks their traces (peerpause.erase_person
-- says whose in the transaction-local setting peerpause.erasing, which counts only where row security does not bind).
create function peerpause.refuse_history_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and old.told_at is null and new.told_at is not null then
    old.told_at := new.told_at;
    if new is not distinct from old then
      return new;
    end if;
  end if;
  if
    tg_op = 'UPDATE'
    and current_setting('peerpause.erasing', true) = old.mentor_id::text
    and not row_security_active('public.peer_mentor_status_history')
  then
    return new;
  end if;
  raise exception 'the status history is append-only'
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded.';
end
$$;

-- Whose organisation the mentor belongs to, if the caller may change the mentor: the mentor themselves, a coordinator of one of
-- the mentor's chapters, an admin of the organisation, or the service role. Otherwise a refusal.
-- PT404: no such mentor. 42501: not the caller's to change, or nobody is signed in. Takes no lock, so a stranger cannot hold one.
-- One statement of index look-ups, because it is part of every change.
create function peerpause.authorise(p_mentor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := auth.uid();
  v_organisation_id uuid;
  v_is_theirs boolean;
begin
  select
    p.organisation_id,
    p.user_id = v_caller
    or exists (
      select from public.chapter_memberships as m
      inner join public.coordinator_roles as r on r.chapter_id = m.chapter_id
      where m.mentor_id = p.id and r.user_id = v_caller and r.active
    )
    or exists (
      select from public.organisation_admins as a
      where a.organisation_id = p.organisation_id and a.user_id = v_caller and a.active
    )
    or exists (select from peerpause.global_admins as g where g.user_id = v_caller)
  into v_organisation_id, v_is_theirs
  from public.peer_mentors as p
  where p.id = p_mentor_id;
  if v_is_theirs then
    return v_organisation_id;
  end if;
  if not peerpause.caller_is_service() then
    if v_caller is null then
      raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a signed-in person.';
    end if;
    if v_organisation_id is not null then
      raise exception 'this mentor is not yours to change'
        using errcode = '42501', hint = 'Only the mentor, a coordinator of the mentor''s chapters or an admin may do this.';
    end if;
  end if;
  if v_organisation_id is null then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id.';
  end if;
  return v_organisation_id;
end
$$;

-- What keeps the mentor from being active today (see blocking_lapse), for those who may change the mentor and nobody else.
-- PT404, 42501: as peerpause.authorise.
create function peerpause.blocking_lapse_for_caller(p_mentor_id uuid)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.blocking_lapse(p_mentor_id, peerpause.authorise(p_mentor_id));
end
$$;

-- The one who acts: the signed-in person and nobody else. The service role acts for whom it names, or as the system (null).
create function peerpause.acting_person(p_actor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_actor_id = (select auth.uid()) or peerpause.caller_is_service() then
    return p_actor_id;
  end if;
  raise exception 'p_actor_id is not the caller'
    using errcode = '42501', hint = 'Pass the id of the signed-in person.';
end
$$;

-- The person a function without p_actor_id acts for: who is signed in, or the system for the service role.
create function peerpause.caller()
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if peerpause.caller_is_service() then
    return null;
  end if;
  return (select auth.uid());
end
$$;

-- Refuses (42501) whoever is neither a coordinator of the chapter, nor an admin of its organisation, nor the service role.
-- A chapter that does not exist is refused in the same words: nobody learns which there are.
create function peerpause.authorise_chapter(p_chapter_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    p_chapter_id is null
    or not (
      peerpause.caller_is_service()
      or p_chapter_id = any(peerpause.my_chapters())
      or exists (
        select from public.chapters as c
        where c.id = p_chapter_id and c.organisation_id = any(peerpause.my_organisations())
      )
    )
  then
    raise exception 'this chapter is not yours'
      using errcode = '42501', hint = 'Ask an admin of the organisation to make you its coordinator.';
  end if;
end
$$;

-- A pause or a deactivation needs a known reason; a return may give one. The system's own codes are not for people.
create function peerpause.require_reason(p_reason text, p_to public.mentor_status)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_reason is null and p_to = 'active' then
    return;
  end if;
  if p_reason is null or not p_reason = any(peerpause.reason_codes()) then
    perform peerpause.refuse_reason(p_reason);
  end if;
  if p_reason = any(peerpause.system_reason_codes()) and not peerpause.caller_is_service() then
    perform peerpause.refuse_system_reason(p_reason);
  end if;
end
$$;

-- An expected return lies on or after the first day of the pause, and never in the past, on the organisation's calendar.
create function peerpause.require_return_date(p_expected_return_on date, p_pause_at timestamptz, p_organisation_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first_day date;
begin
  if p_expected_return_on is null then
    return;
  end if;
  select (greatest(p_pause_at, peerpause.clock()) at time zone o.time_zone)::date
  into v_first_day
  from public.organisations as o
  where o.id = p_organisation_id;
  if p_expected_return_on < v_first_day then
    raise exception 'the expected return date lies before the pause begins'
      using errcode = '22023', hint = format('Give %s or a later day, or none.', v_first_day);
  end if;
end
$$;

-- A page has 1 to 500 rows.
create function peerpause.require_limit(p_limit integer)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit not between 1 and 500 then
    raise exception 'a page has 1 to 500 rows' using errcode = '22023', hint = 'Pass a p_limit from 1 to 500.';
  end if;
end
$$;

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

-- A mentor's row as clients see it.
create function peerpause.as_status(p_mentor public.peer_mentors)
returns public.peer_mentor_status
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return row(
    p_mentor.id, p_mentor.status, p_mentor.pause_reason, p_mentor.pause_at, p_mentor.reactivated_at, p_mentor.updated_at
  )::public.peer_mentor_status;
end
$$;

-- Closes the open scheduled pause of a mentor, if there is one. Tells whether there was.
create function peerpause.settle_schedule(p_mentor_id uuid, p_settled_by uuid, p_outcome text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.scheduled_status_changes as s
  set settled_at = clock_timestamp(), settled_by = p_settled_by, outcome = p_outcome
  where s.mentor_id = p_mentor_id and s.settled_at is null;
  return found;
end
$$;

-- The one way a status is changed on somebody's behalf. The caller has authorised; this locks, compares, checks and writes.
--
-- Locks the mentor's row (for update) before it looks at it. Answers null, having changed nothing, where the row has moved on
-- since p_expected_updated_at. Refuses: PT404 gone meanwhile; P0001 not a legal move; 22023 reason missing or unknown.
-- The trigger on the table judges the move and writes the history; nothing else is on the path.
create function peerpause.change_status(
  p_mentor_id uuid,
  p_to public.mentor_status,
  p_actor_id uuid,
  p_reason text,
  p_note text,
  p_expected_return_on date,
  p_expected_updated_at timestamptz,
  p_resigning boolean default false
)
returns public.peer_mentors
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor public.peer_mentors;
begin
  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  if not found then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id.';
  end if;
  if v_mentor.updated_at <> p_expected_updated_at then
    return null;
  end if;
  if v_mentor.status = p_to then
    perform peerpause.refuse_transition(v_mentor.status, p_to);
  end if;

  perform set_config(
    'peerpause.change',
    jsonb_build_object('actor_id', p_actor_id, 'reason', p_reason, 'note', p_note, 'resigning', p_resigning)::text,
    true
  );
  update public.peer_mentors as p
  set
    status = p_to,
    pause_at = null,
    pause_reason = case when p_to = 'paused' then p_reason end,
    pause_note = case when p_to = 'paused' then p_note end,
    expected_return_on = case when p_to = 'paused' then p_expected_return_on end
  where p.id = p_mentor_id
  returning * into v_mentor;
  perform set_config('peerpause.change', '', true);
  return v_mentor;
end
$$;

-- Writes down a pause that starts later, in place of one that was planned before. Null where the row has moved on.
-- Locks the mentor's row. P0001: the mentor is not active.
create function peerpause.schedule_pause(
  p_mentor_id uuid,
  p_actor_id uuid,
  p_reason text,
  p_note text,
  p_pause_at timestamptz,
  p_expected_return_on date,
  p_expected_updated_at timestamptz
)
returns public.peer_mentors
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor public.peer_mentors;
begin
  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  if v_mentor.updated_at <> p_expected_updated_at then
    return null;
  end if;
  if v_mentor.status <> 'active' then
    perform peerpause.refuse_transition(v_mentor.status, 'paused');
  end if;
  perform peerpause.settle_schedule(p_mentor_id, p_actor_id, 'superseded');
  insert into public.scheduled_status_changes (
    organisation_id, mentor_id, new_status, effective_at, reason, note, expected_return_on, requested_by
  )
  values (v_mentor.organisation_id, p_mentor_id, 'paused', p_pause_at, p_reason, p_note, p_expected_return_on, p_actor_id);
  return v_mentor;
end
$$;

-- Changes a status: the one function for all three moves.
--
-- Answers {success, mentor_id, old_status, new_status, changed_at, updated_at}; null, with nothing changed, where the row has
-- moved on since p_expected_updated_at. Refuses: 22023 unknown status, reason missing or unknown, key used otherwise;
-- 42501 not yours, or p_actor_id is not you; PT404 no such mentor; P0001 not a legal move, or certificate lapsed.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.update_mentor_status(
  p_mentor_id uuid,
  p_new_status text,
  p_actor_id uuid,
  p_reason text,
  p_expected_updated_at timestamptz,
  p_idempotency_key text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_actor_id constant uuid := peerpause.acting_person(p_actor_id);
  v_to public.mentor_status;
  v_mentor public.peer_mentors;
  v_answer jsonb;
  v_known boolean;
begin
  if p_new_status is null or not p_new_status = any(enum_range(null::public.mentor_status)::text[]) then
    raise exception 'unknown status' using errcode = '22023', hint = 'One of: active, paused, inactive.';
  end if;
  v_to := p_new_status::public.mentor_status;
  perform peerpause.require_reason(p_reason, v_to);

  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'update_mentor_status', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_new_status, p_actor_id, p_reason, p_expected_updated_at at time zone 'UTC')
    ) as f;
    if v_known then
      return v_answer;
    end if;
  end if;

  v_mentor := peerpause.change_status(p_mentor_id, v_to, v_actor_id, p_reason, null, null, p_expected_updated_at);
  if v_mentor.id is not null then
    v_answer := jsonb_build_object(
      'success', true,
      'mentor_id', v_mentor.id,
      'old_status', case v_to when 'active' then 'paused' else 'active' end,
      'new_status', v_mentor.status,
      'changed_at', v_mentor.updated_at,
      'updated_at', v_mentor.updated_at
    );
  end if;
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(p_idempotency_key, v_answer);
  end if;
  return v_answer;
end
$$;

create function public.update_mentor_status(
  p_mentor_id uuid,
  p_new_status text,
  p_actor_id uuid,
  p_reason text,
  p_expected_updated_at timestamptz default null,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.update_mentor_status(
    p_mentor_id, p_new_status, p_actor_id, p_reason, p_expected_updated_at, p_idempotency_key
  );
end
$$;

-- Pauses a mentor now, or schedules the pause where p_pause_at lies ahead.
--
-- Answers the peer_mentor_status row (still active where the pause was scheduled); no row, with nothing changed, where the row
-- has moved on since p_expected_updated_at. Refuses: 22023 reason missing or unknown, return date before the pause begins,
-- p_pause_at more than five minutes ago (clocks differ; older is a mistake); 42501 not yours; PT404 no such mentor; P0001 the
-- mentor is not active. Locks: the key's row if one is given, then the mentor's row. A later request replaces a scheduled one.
create function peerpause.pause_mentor(
  p_mentor_id uuid,
  p_reason text,
  p_pause_at timestamptz,
  p_expected_return_on date,
  p_note text,
  p_expected_updated_at timestamptz,
  p_idempotency_key text
)
returns setof public.peer_mentor_status
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_actor_id constant uuid := peerpause.caller();
  v_pause_at constant timestamptz := coalesce(p_pause_at, now());
  v_note constant text := nullif(btrim(p_note), '');
  v_mentor public.peer_mentors;
  v_known boolean;
  v_answer jsonb;
begin
  -- Before the checks, so that a request repeated late is answered as the first one was.
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'rpc_pause_mentor', v_organisation_id,
      -- The default of p_pause_at is the moment of the call, which says nothing about the request. UTC, because the same moment
      -- reads differently in sessions of different time zones.
      jsonb_build_array(
        p_mentor_id, p_reason, nullif(p_pause_at, now()) at time zone 'UTC',
        p_expected_return_on, v_note, p_expected_updated_at at time zone 'UTC'
      )
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  perform peerpause.require_reason(p_reason, 'paused');
  perform peerpause.require_return_date(p_expected_return_on, v_pause_at, v_organisation_id);
  if char_length(v_note) > 2000 then
    raise exception 'the note is longer than 2000 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if v_pause_at < now() - interval '5 minutes' then
    raise exception 'p_pause_at lies in the past' using errcode = '22023', hint = 'Leave it out to pause now.';
  end if;
  if v_pause_at > now() then
    v_mentor := peerpause.schedule_pause(
      p_mentor_id, v_actor_id, p_reason, v_note, v_pause_at, p_expected_return_on, p_expected_updated_at
    );
  else
    v_mentor := peerpause.change_status(
      p_mentor_id, 'paused', v_actor_id, p_reason, v_note, p_expected_return_on, p_expected_updated_at
    );
  end if;
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(
      p_idempotency_key, case when v_mentor.id is not null then to_jsonb(peerpause.as_status(v_mentor)) end
    );
  end if;
  if v_mentor.id is not null then
    return next peerpause.as_status(v_mentor);
  end if;
end
$$;

create function public.rpc_pause_mentor(
  p_mentor_id uuid,
  p_reason text,
  p_pause_at timestamptz default now(),
  p_expected_return_on date default null,
  p_note text default null,
  p_expected_updated_at timestamptz default null,
  p_idempotency_key text default null
)
returns setof public.peer_mentor_status
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select s.*
  from peerpause.pause_mentor(
    p_mentor_id, p_reason, p_pause_at, p_expected_return_on, p_note, p_expected_updated_at, p_idempotency_key
  ) as s;
end
$$;

-- Brings a paused mentor back.
--
-- Answers the peer_mentor_status row; no row, with nothing changed, where the row has moved on since p_expected_updated_at.
-- Refuses: P0001 not paused, or (hint certification_expired) a required certificate has lapsed; 42501 not yours; PT404 no such
-- mentor; 22023 unknown reason. Locks: the key's row if one is given, then the mentor's row.
create function peerpause.reactivate_mentor(
  p_mentor_id uuid,
  p_expected_updated_at timestamptz,
  p_reason text,
  p_idempotency_key text
)
returns setof public.peer_mentor_status
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_mentor public.peer_mentors;
  v_known boolean;
  v_answer jsonb;
begin
  perform peerpause.require_reason(p_reason, 'active');
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'rpc_reactivate_mentor', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_expected_updated_at at time zone 'UTC', p_reason)
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  v_mentor := peerpause.change_status(p_mentor_id, 'active', peerpause.caller(), p_reason, null, null, p_expected_updated_at);
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(
      p_idempotency_key, case when v_mentor.id is not null then to_jsonb(peerpause.as_status(v_mentor)) end
    );
  end if;
  if v_mentor.id is not null then
    return next peerpause.as_status(v_mentor);
  end if;
end
$$;

create function public.rpc_reactivate_mentor(
  p_mentor_id uuid,
  p_expected_updated_at timestamptz default null,
  p_reason text default null,
  p_idempotency_key text default null
)
returns setof public.peer_mentor_status
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select s.*
  from peerpause.reactivate_mentor(p_mentor_id, p_expected_updated_at, p_reason, p_idempotency_key) as s;
end
$$;

-- Lets a mentor leave. A paused mentor takes the two legal steps in this one transaction: two history rows, never active to
-- anyone else in between, and one notification (the first step's reason, resignation_step, is told to nobody).
--
-- Answers the peer_mentor_status row; no row, with nothing changed, where the row has moved on since p_expected_updated_at.
-- Refuses: P0001 the mentor has left already; 22023 reason missing or unknown; 42501 not yours; PT404 no such mentor.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.deactivate_mentor(
  p_mentor_id uuid,
  p_reason text,
  p_note text,
  p_expected_updated_at timestamptz,
  p_idempotency_key text
)
returns setof public.peer_mentor_status
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
  v_actor_id constant uuid := peerpause.caller();
  v_note constant text := nullif(btrim(p_note), '');
  v_mentor public.peer_mentors;
  v_known boolean;
  v_answer jsonb;
begin
  perform peerpause.require_reason(p_reason, 'inactive');
  if char_length(v_note) > 2000 then
    raise exception 'the note is longer than 2000 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'rpc_deactivate_mentor', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_reason, v_note, p_expected_updated_at at time zone 'UTC')
    ) as f;
    if v_known then
      return query select a.* from jsonb_populate_record(null::public.peer_mentor_status, v_answer) as a where v_answer is not null;
      return;
    end if;
  end if;

  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  if v_mentor.updated_at is distinct from coalesce(p_expected_updated_at, v_mentor.updated_at) then
    v_mentor := null;
  else
    if v_mentor.status = 'paused' then
      v_mentor := peerpause.change_status(p_mentor_id, 'active', v_actor_id, 'resignation_step', null, null, null, true);
    end if;
    v_mentor := peerpause.change_status(p_mentor_id, 'inactive', v_actor_id, p_reason, v_note, null, null);
  end if;
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(
      p_idempotency_key, case when v_mentor.id is not null then to_jsonb(peerpause.as_status(v_mentor)) end
    );
  end if;
  if v_mentor.id is not null then
    return next peerpause.as_status(v_mentor);
  end if;
end
$$;

create function public.rpc_deactivate_mentor(
  p_mentor_id uuid,
  p_reason text,
  p_note text default null,
  p_expected_updated_at timestamptz default null,
  p_idempotency_key text default null
)
returns setof public.peer_mentor_status
language plpgsql
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select s.*
  from peerpause.deactivate_mentor(p_mentor_id, p_reason, p_note, p_expected_updated_at, p_idempotency_key) as s;
end
$$;

-- Takes back a pause that has not begun.
-- Answers whether there was one. Refuses: 42501 not yours; PT404 no such mentor.
create function peerpause.cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  return peerpause.settle_schedule(p_mentor_id, peerpause.caller(), 'cancelled');
end
$$;

create function public.rpc_cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.cancel_scheduled_pause(p_mentor_id);
end
$$;

-- Begins the pauses whose time has come, each exactly once. Called by the worker every few seconds; for the service role only.
--
-- Every mentor is looked at afresh: one who is no longer active is skipped, and the row says so. One who cannot be paused is
-- named in a warning and stays due; the rest go on. Locks: the scheduled row and the mentor's together, passing over what others
-- hold: many workers share the work, and one that never waits cannot deadlock with a person who holds the mentor and plans anew.
-- Answers how many pauses began and how many were skipped.
create function peerpause.apply_scheduled_changes(p_limit integer, out o_applied integer, out o_skipped integer)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_due record;
begin
  o_applied := 0;
  o_skipped := 0;
  for v_due in
    select s.mentor_id, s.reason, s.note, s.expected_return_on, s.requested_by, p.status
    from public.scheduled_status_changes as s
    inner join public.peer_mentors as p on p.id = s.mentor_id
    where s.settled_at is null and s.effective_at <= clock_timestamp()
    order by s.effective_at
    limit p_limit
    for update of s, p skip locked
  loop
    if v_due.status <> 'active' then
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'skipped');
      o_skipped := o_skipped + 1;
      continue;
    end if;
    begin
      perform peerpause.change_status(
        v_due.mentor_id, 'paused', v_due.requested_by, v_due.reason, v_due.note, v_due.expected_return_on, null
      );
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'applied');
      o_applied := o_applied + 1;
    exception
      when others then
        raise warning 'the planned pause of mentor % could not begin (SQLSTATE %)', v_due.mentor_id, sqlstate;
    end;
  end loop;
end
$$;

-- A mentor's status as it stands, with the change that led to it and the pause that is planned, if there is one.
-- PT404 where there is no such mentor among those the caller may see; row security decides.
create function public.get_mentor_status(p_mentor_id uuid)
returns table (
  mentor_id uuid,
  organisation_id uuid,
  display_name text,
  first_name text,
  status public.mentor_status,
  previous_status public.mentor_status,
  changed_at timestamptz,
  changed_by uuid,
  reason text,
  note text,
  pause_reason text,
  paused_at timestamptz,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz,
  scheduled_pause_at timestamptz
)
language plpgsql
stable
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    p.id, p.organisation_id, p.display_name, p.first_name, p.status, h.previous_status,
    coalesce(h.changed_at, p.updated_at), h.changed_by, h.reason, h.note,
    p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at, s.effective_at
  from public.peer_mentors as p
  left join lateral (
    select c.previous_status, c.changed_at, c.changed_by, c.reason, c.note
    from public.peer_mentor_status_history as c
    where c.mentor_id = p.id
    order by c.changed_at desc
    limit 1
  ) as h on true
  left join public.scheduled_status_changes as s on s.mentor_id = p.id and s.settled_at is null
  where p.id = p_mentor_id;
  if not found then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id, and that you may see this mentor.';
  end if;
end
$$;

-- A mentor's history, newest first, at most p_limit rows (1 to 500) from before p_before: page on with the last changed_at.
-- PT404 where there is no such mentor among those the caller may see; row security decides. 22023: a limit out of range.
create function public.get_mentor_status_history(
  p_mentor_id uuid,
  p_limit integer default 50,
  p_before timestamptz default null
)
returns table (
  id uuid,
  mentor_id uuid,
  previous_status public.mentor_status,
  new_status public.mentor_status,
  changed_by uuid,
  changed_at timestamptz,
  reason text,
  note text,
  expected_return_on date,
  certification_expires_at date,
  job_run_id uuid
)
language plpgsql
stable
security invoker
rows 50
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.require_limit(p_limit);
  if not exists (select from public.peer_mentors as p where p.id = p_mentor_id) then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id, and that you may see this mentor.';
  end if;
  return query
  select
    h.id, h.mentor_id, h.previous_status, h.new_status, h.changed_by, h.changed_at,
    h.reason, h.note, h.expected_return_on, h.certification_expires_at, h.job_run_id
  from public.peer_mentor_status_history as h
  where h.mentor_id = p_mentor_id and h.changed_at < coalesce(p_before, 'infinity')
  order by h.changed_at desc
  limit p_limit;
end
$$;

-- The mentors of a chapter by name, for its coordinators and the organisation's admins: all, or those with one status, or those
-- whose name contains p_search. At most p_limit (1 to 500); page on with the last row's display_name and mentor_id.
-- 42501: not the caller's chapter, or no such chapter. 22023: unknown status, limit out of range.
create function peerpause.list_chapter_mentors(
  p_chapter_id uuid,
  p_status text,
  p_search text,
  p_limit integer,
  p_after_name text,
  p_after_id uuid
)
returns table (
  mentor_id uuid,
  display_name text,
  first_name text,
  status public.mentor_status,
  pause_reason text,
  paused_at timestamptz,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.require_limit(p_limit);
  if p_status is not null and not p_status = any(enum_range(null::public.mentor_status)::text[]) then
    raise exception 'unknown status' using errcode = '22023', hint = 'One of: active, paused, inactive.';
  end if;
  perform peerpause.authorise_chapter(p_chapter_id);
  return query
  select
    p.id, p.display_name, p.first_name, p.status, p.pause_reason, p.pause_at, p.expected_return_on, p.reactivated_at, p.updated_at
  from public.chapter_memberships as m
  inner join public.peer_mentors as p on p.id = m.mentor_id
  where
    m.chapter_id = p_chapter_id
    and (p_status is null or p.status = p_status::public.mentor_status)
    and (p_search is null or strpos(lower(p.display_name), lower(p_search)) > 0)
    and (p_after_name is null or (p.display_name, p.id) > (p_after_name, p_after_id))
  order by p.display_name, p.id
  limit p_limit;
end
$$;

create function public.list_chapter_mentors(
  p_chapter_id uuid,
  p_status text default null,
  p_search text default null,
  p_limit integer default 50,
  p_after_name text default null,
  p_after_id uuid default null
)
returns table (
  mentor_id uuid,
  display_name text,
  first_name text,
  status public.mentor_status,
  pause_reason text,
  paused_at timestamptz,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz
)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select l.*
  from peerpause.list_chapter_mentors(p_chapter_id, p_status, p_search, p_limit, p_after_name, p_after_id) as l;
end
$$;

-- Who must hear of these mentors: the active coordinators of all their chapters, each once; where a mentor's chapters have none,
-- the active admins of the organisation (is_fallback). A mentor for whom there is nobody has no row. One query for any number.
create function peerpause.coordinators_of(p_mentor_ids uuid[])
returns table (mentor_id uuid, user_id uuid, is_fallback boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with found as (
    select distinct m.mentor_id, r.user_id
    from public.chapter_memberships as m
    inner join public.coordinator_roles as r on r.chapter_id = m.chapter_id and r.active
    where m.mentor_id = any(p_mentor_ids)
  )
  select f.mentor_id, f.user_id, false
  from found as f
  union all
  select p.id, a.user_id, true
  from public.peer_mentors as p
  inner join public.organisation_admins as a on a.organisation_id = p.organisation_id and a.active
  where p.id = any(p_mentor_ids) and not exists (select from found as f where f.mentor_id = p.id);
end
$$;

-- The first moment from p_at on at which a person wants to be disturbed. Quiet hours may span midnight; equal ends mean none.
-- Times are the person's own, in p_time_zone; where the clocks change in between, the end is what the clock on the wall says.
create function peerpause.after_quiet_hours(p_at timestamptz, p_from time, p_until time, p_time_zone text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_local timestamp;
begin
  if p_from is null or p_until is null or p_from = p_until then
    return p_at;
  end if;
  begin
    v_local := p_at at time zone p_time_zone;
  exception
    -- A zone nobody knows: one person's typing error must not hold up everybody's news.
    when invalid_parameter_value then
      return p_at;
  end;
  if p_from < p_until then
    if v_local::time >= p_from and v_local::time < p_until then
      return (v_local::date + p_until) at time zone p_time_zone;
    end if;
  elsif v_local::time >= p_from then
    return (v_local::date + 1 + p_until) at time zone p_time_zone;
  elsif v_local::time < p_until then
    return (v_local::date + p_until) at time zone p_time_zone;
  end if;
  return p_at;
end
$$;

-- When a push that is one of very many may go: ten seconds on, so that a run's changes gather into one summary; outside the two
-- minutes around each quarter of an hour, when all the world sends (Google asks for that); and spread over a minute by recipient.
create function peerpause.bulk_moment(p_at timestamptz, p_recipient_id uuid)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_start timestamptz := p_at + interval '10 seconds';
  v_past_quarter constant double precision := (extract(epoch from v_start)::bigint % 900);
begin
  if v_past_quarter < 120 then
    v_start := v_start + (120 - v_past_quarter) * interval '1 second';
  elsif v_past_quarter > 780 - 60 then
    v_start := v_start + (1020 - v_past_quarter) * interval '1 second';
  end if;
  return v_start + (abs(hashtext(p_recipient_id::text)::bigint) % 60) * interval '1 second';
end
$$;

-- The public roster of a chapter: who may be listed at this very moment.
--
-- Computed when it is read: active, listed by their own wish, and certified today where the organisation requires it. A job
-- that never ran cannot leave a lapsed mentor here. An unknown chapter has an empty roster. Open to everyone (anon).
create function peerpause.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select p.id, p.display_name, p.languages, p.presentation, p.public_contact
  from public.chapter_memberships as m
  inner join public.peer_mentors as p on p.id = m.mentor_id
  inner join public.organisations as o on o.id = p.organisation_id
  where
    m.chapter_id = p_chapter_id
    and p.status = 'active'
    and p.listed
    and peerpause.is_certified(p.id, o.required_certification_kinds, peerpause.today(o.time_zone))
  order by p.display_name, p.id;
end
$$;

create function public.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select r.* from peerpause.public_chapter_roster(p_chapter_id) as r;
end
$$;

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

-- Mentors whose required certificate has run out by today in their organisation's time zone and whom no override covers, in
-- order of id from after p_after, at most p_limit. For each required kind the latest certificate decides; its last day counts.
create function peerpause.lapsed_mentors(p_chapter_ids uuid[], p_after uuid, p_limit integer)
returns table (mentor_id uuid, status public.mentor_status, expired_on date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with requiring as materialized (
    select o.id, o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
    from public.organisations as o
    where o.required_certification_kinds <> '{}'
  )
  select p.id, p.status, min(c.expires_on)
  from requiring as r
  inner join public.certifications as c on c.organisation_id = r.id and c.kind = any(r.kinds) and c.expires_on < r.today
  inner join public.peer_mentors as p on p.id = c.mentor_id
  where
    p.id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
    and not exists (
      select from public.certifications as n
      where
        n.mentor_id = c.mentor_id
        and n.kind = c.kind
        and n.issued_on <= r.today
        and coalesce(n.expires_on, 'infinity'::date) > c.expires_on
    )
    and not exists (
      select from public.certification_overrides as v where v.mentor_id = p.id and v.valid_until >= r.today
    )
    and (
      p_chapter_ids is null
      or exists (
        select from public.chapter_memberships as m where m.mentor_id = p.id and m.chapter_id = any(p_chapter_ids)
      )
    )
  group by p.id
  order by p.id
  limit p_limit;
end
$$;

-- Pauses the next batch of mentors whose required certificate has lapsed, from after p_after in order of id.
--
-- Set-wise; only where the batch fails as a whole, mentor by mentor, so that one bad row is named in the run's failures and the
-- rest go on. Goes through the same trigger as every other change. Mentors paused or inactive already are skipped, those that
-- somebody else holds are left for the next run. Locks: mentors in order of id. Answers the last id looked at; null at the end.
create function peerpause.expire_batch(p_run_id uuid, p_chapter_ids uuid[], p_after uuid, p_limit integer)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lapsed uuid[];
  v_active uuid[];
  v_last uuid;
  v_mentor_id uuid;
  v_paused integer := 0;
  v_failures jsonb := '[]'::jsonb;
begin
  select
    array_agg(l.mentor_id order by l.mentor_id),
    array_agg(l.mentor_id order by l.mentor_id) filter (where l.status = 'active')
  into v_lapsed, v_active
  from peerpause.lapsed_mentors(p_chapter_ids, p_after, p_limit) as l;
  if v_lapsed is null then
    return null;
  end if;
  v_last := v_lapsed[array_upper(v_lapsed, 1)];

  perform set_config('peerpause.change', jsonb_build_object('actor_id', null, 'job_run_id', p_run_id)::text, true);
  begin
    with held as (
      select p.id
      from public.peer_mentors as p
      where p.id = any(v_active) and p.status = 'active'
      order by p.id
      for update skip locked
    )
    update public.peer_mentors as p
    set status = 'paused', pause_reason = 'certification_expired'
    from held as h
    where p.id = h.id;
    get diagnostics v_paused = row_count;
  exception
    when others then
      v_paused := 0;
      foreach v_mentor_id in array v_active loop
        begin
          update public.peer_mentors as p
          set status = 'paused', pause_reason = 'certification_expired'
          where p.id = v_mentor_id and p.status = 'active';
          if found then
            v_paused := v_paused + 1;
          end if;
        exception
          when others then
            raise warning 'certificate check could not pause mentor % (SQLSTATE %)', v_mentor_id, sqlstate;
            v_failures := v_failures || jsonb_build_object('mentor_id', v_mentor_id, 'sqlstate', sqlstate);
        end;
      end loop;
  end;
  perform set_config('peerpause.change', '', true);

  update public.job_runs as j
  set
    heartbeat_at = clock_timestamp(),
    queried = j.queried + cardinality(v_lapsed),
    paused = j.paused + v_paused,
    skipped = j.skipped + cardinality(v_lapsed) - v_paused - jsonb_array_length(v_failures),
    errors = j.errors + jsonb_array_length(v_failures),
    failures = case when jsonb_array_length(j.failures) < 1000 then j.failures || v_failures else j.failures end
  where j.id = p_run_id;
  return v_last;
end
$$;

-- Closes a run that came to its end and answers what it did.
create function peerpause.finish_job_run(p_run_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run public.job_runs;
begin
  update public.job_runs as j
  set finished_at = clock_timestamp(), heartbeat_at = clock_timestamp(), status = 'succeeded'
  where j.id = p_run_id
  returning * into v_run;
  return jsonb_build_object(
    'job_id', v_run.id,
    'status', v_run.status,
    'queried', v_run.queried,
    'paused', v_run.paused,
    'skipped', v_run.skipped,
    'errors', v_run.errors,
    'duration_ms', round(extract(epoch from v_run.finished_at - v_run.started_at) * 1000)
  );
end
$$;

-- The certificate check: pauses every active mentor whose required certificate has lapsed.
--
-- The service role checks everyone, or the chapters it names; a coordinator their own chapters; an admin the organisation's.
-- Answers {job_id, status, queried, paused, skipped, errors, duration_ms}; status is already_running where another run is at it.
-- Running it twice changes nothing the second time. 42501: a chapter that is not the caller's, or nobody is signed in.
create function peerpause.run_certification_expiry(p_chapter_ids uuid[])
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_service constant boolean := peerpause.caller_is_service();
  v_chapter_ids uuid[] := p_chapter_ids;
  v_own_chapter_ids uuid[];
  v_chapter_id uuid;
  v_run public.job_runs;
  v_last uuid;
begin
  if not v_service then
    if (select auth.uid()) is null then
      raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a coordinator or an admin.';
    end if;
    select array_agg(c.id)
    into v_own_chapter_ids
    from public.chapters as c
    where c.id = any(peerpause.my_chapters()) or c.organisation_id = any(peerpause.my_organisations());
    if v_own_chapter_ids is null then
      raise exception 'you coordinate no chapter'
        using errcode = '42501', hint = 'Ask an admin of the organisation to make you a coordinator.';
    end if;
    v_chapter_ids := coalesce(v_chapter_ids, v_own_chapter_ids);
    foreach v_chapter_id in array v_chapter_ids loop
      perform peerpause.authorise_chapter(v_chapter_id);
    end loop;
  end if;

  if not pg_try_advisory_xact_lock(hashtextextended('peerpause.certification_expiry', 0)) then
    return jsonb_build_object('job_id', null, 'status', 'already_running', 'queried', 0, 'paused', 0, 'skipped', 0, 'errors', 0, 'duration_ms', 0);
  end if;
  insert into public.job_runs (job, started_by, chapter_ids)
  values ('certification_expiry', peerpause.caller(), v_chapter_ids)
  returning * into v_run;
  loop
    v_last := peerpause.expire_batch(v_run.id, v_chapter_ids, v_last, 5000);
    exit when v_last is null;
  end loop;
  return peerpause.finish_job_run(v_run.id);
end
$$;

create function public.run_certification_expiry(p_chapter_ids uuid[] default null)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.run_certification_expiry(p_chapter_ids);
end
$$;

-- Is the compliance promise kept, and does anyone watch over it? For the service role, and for admins of any organisation.
--
-- Answers {ok, checked_at, expired_but_active, last_success_at, problems: [{code, ...}]}. Codes: expired_but_active (lapsed mentors
-- still active more than 30 minutes after the last nightly run was due), run_missing (no successful full run for 24.5 hours),
-- run_failed, run_stuck (running for more than 30 minutes without a sign of life), outbox_stuck (changes untold for 15 minutes).
create function peerpause.certification_watchdog()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last public.job_runs;
  v_last_success timestamptz;
  v_active bigint;
  v_untold bigint;
  v_problems jsonb := '[]'::jsonb;
begin
  if not peerpause.caller_is_service() and peerpause.my_organisations() = '{}' then
    raise exception 'the watchdog is for admins' using errcode = '42501', hint = 'Sign in as an admin of an organisation.';
  end if;
  select count(*)
  into v_active
  from peerpause.lapsed_mentors(null, null, null) as l
  inner join public.peer_mentors as p on p.id = l.mentor_id
  where l.status = 'active' and (peerpause.caller_is_service() or p.organisation_id = any(peerpause.my_organisations()));
  select * into v_last from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null
  order by j.started_at desc
  limit 1;
  select max(j.finished_at) into v_last_success from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded';
  select count(*) into v_untold from public.peer_mentor_status_history as h
  where h.told_at is null and h.changed_at < clock_timestamp() - interval '15 minutes';

  if v_active > 0 then
    v_problems := v_problems || jsonb_build_object('code', 'expired_but_active', 'mentors', v_active);
  end if;
  if coalesce(v_last_success, '-infinity') < peerpause.clock() - interval '24 hours 30 minutes' then
    v_problems := v_problems || jsonb_build_object('code', 'run_missing', 'last_success_at', v_last_success);
  end if;
  if v_last.status = 'failed' then
    v_problems := v_problems || jsonb_build_object('code', 'run_failed', 'job_id', v_last.id);
  end if;
  if v_last.status = 'running' and v_last.heartbeat_at < peerpause.clock() - interval '30 minutes' then
    v_problems := v_problems || jsonb_build_object('code', 'run_stuck', 'job_id', v_last.id);
  end if;
  if v_untold > 0 then
    v_problems := v_problems || jsonb_build_object('code', 'outbox_stuck', 'changes', v_untold);
  end if;
  return jsonb_build_object(
    'ok', v_problems = '[]',
    'checked_at', clock_timestamp(),
    'expired_but_active', v_active,
    'last_success_at', v_last_success,
    'problems', v_problems
  );
end
$$;

create function public.certification_watchdog()
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.certification_watchdog();
end
$$;

-- Named to fire after every other BEFORE trigger of the table: the guard sees the row as it will be written.
create trigger zzz_peerpause_guard
before insert or update on public.peer_mentors
for each row
execute function peerpause.guard_peer_mentor();

-- History. A statement-level trigger sees all rows of its statement; which of each pair fires is decided by whether row
-- security binds the one who runs the statement, and that cannot be set by hand.
create trigger peerpause_record_update_by_function
after update on public.peer_mentors
referencing old table as old_rows new table as new_rows
for each statement
when (not row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('trusted');

create trigger peerpause_record_update_by_client
after update on public.peer_mentors
referencing old table as old_rows new table as new_rows
for each statement
when (row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('client');

create trigger peerpause_record_insert_by_function
after insert on public.peer_mentors
referencing new table as new_rows
for each statement
when (not row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('trusted');

create trigger peerpause_record_insert_by_client
after insert on public.peer_mentors
referencing new table as new_rows
for each statement
when (row_security_active('public.peer_mentors'))
execute function peerpause.record_status_changes('client');

-- Append-only: row by row, and also for a statement that would empty the table.
create trigger peerpause_append_only
before update or delete on public.peer_mentor_status_history
for each row
execute function peerpause.refuse_history_change();

create trigger peerpause_append_only_truncate
before truncate on public.peer_mentor_status_history
for each statement
execute function peerpause.refuse_history_change();
