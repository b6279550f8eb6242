-- Takes the functions back to how they were, and drops what the twin of the same name added.

create or replace function peerpause.update_mentor_status(
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

create or replace function peerpause.deactivate_mentor(
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

create or replace function peerpause.reactivate_mentor(
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

create or replace function peerpause.pause_mentor(
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

create or replace function peerpause.record_status_changes()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trusted boolean := tg_argv[0] = 'trusted';
  v_change jsonb := nullif(current_setting('peerpause.change', true), '')::jsonb;
  v_lapsed jsonb;
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

  if v_trusted then
    -- The nightly run has looked the dates up already, for a whole batch.
    v_lapsed := nullif(current_setting('peerpause.lapsed', true), '')::jsonb;
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
      when n.pause_reason = 'certification_expired' then coalesce(
        (v_lapsed ->> n.id::text)::date,
        (
          select peerpause.certification_lapsed_on(n.id, g.required_certification_kinds, peerpause.today(g.time_zone))
          from public.organisations as g
          where g.id = n.organisation_id
        )
      )
    end,
    case when v_trusted then (v_change ->> 'job_run_id')::uuid end
  from new_rows as n
  inner join old_rows as o on o.id = n.id
  where o.status is distinct from n.status;
  return null;
end
$$;

create or replace function peerpause.change_status(
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

create or replace function peerpause.caller()
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

create or replace function peerpause.authorise(p_mentor_id uuid)
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

create or replace function peerpause.caller_is_service()
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

create or replace function peerpause.time_ordered_uuid()
returns uuid
language plpgsql
volatile
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return encode(
    set_byte(
      overlay(
        uuid_send(gen_random_uuid())
        placing substring(int8send((date_part('epoch', clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6
      ),
      6,
      112 | (random() * 15)::integer
    ),
    'hex'
  )::uuid;
end
$$;

create or replace function peerpause.system_reason_codes()
returns text[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return array['certification_expired', 'certification_renewed', 'return_date_reached', 'resignation_step'];
end
$$;

create or replace function peerpause.reason_codes()
returns text[]
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return array[
    'self_pause', 'coordinator_pause', 'illness', 'travel', 'personal', 'family', 'work_or_study', 'other',
    'returned', 'resigned', 'deactivated',
    'certification_expired', 'certification_renewed', 'return_date_reached', 'resignation_step'
  ];
end
$$;

create or replace function peerpause.today(p_time_zone text)
returns date
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (peerpause.clock() at time zone p_time_zone)::date;
end
$$;

create or replace function peerpause.clock()
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return now();
end
$$;

drop function peerpause.lapsed_today(uuid, uuid);
drop function peerpause.is_above_row_security(text);
drop function peerpause.people_may_give(text);
