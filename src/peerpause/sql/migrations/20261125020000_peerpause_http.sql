-- What several processes of the HTTP API share: how much each caller may still ask for, which requests run under which key, and whether
-- the database is as new as the program. A planned pause now moves updated_at on, because clients see it in a mentor's status.

-- How much each caller has left of what they may ask for in a minute, shared by all processes of the API. Unlogged: after a crash of
-- the server everybody begins anew, and counting costs no write-ahead log.
create unlogged table peerpause.request_allowances (
  scope text not null,
  subject text not null,
  remaining double precision not null,
  counted_at timestamptz not null,
  primary key (scope, subject)
);

comment on table peerpause.request_allowances is 'A bucket of permissions for each caller and kind of request, refilled evenly.';
comment on column peerpause.request_allowances.scope is 'The kind of request: changes, sign-ins.';
comment on column peerpause.request_allowances.subject is 'SHA-256 of who asks: a person''s id, a client''s address.';
comment on column peerpause.request_allowances.remaining is 'Permissions left at counted_at; below zero where several processes used the last ones at once.';

create index request_allowances_age on peerpause.request_allowances (counted_at);

alter table peerpause.request_allowances enable row level security;
alter table peerpause.request_allowances force row level security;
revoke all on table peerpause.request_allowances from public, anon, authenticated, service_role;

-- Requests over HTTP claim their key before they begin.
-- No client reads this table, so none is surprised by a null.
-- squawk-ignore ban-drop-not-null
alter table public.idempotency_keys alter column organisation_id drop not null;
alter table public.idempotency_keys add column running_until timestamptz;

comment on column public.idempotency_keys.request is 'The function that was called, or the method and path of a request over HTTP.';
comment on column public.idempotency_keys.response is 'What the first call answered; null where it found a conflict and changed nothing, or still runs.';
comment on column public.idempotency_keys.organisation_id is 'Null for a request over HTTP, which need not be about one organisation.';
comment on column public.idempotency_keys.running_until is 'For a request over HTTP: until when the process that runs it holds the key.';

-- Takes from the buckets of several callers what they have used, and with p_wants_one one permission more where one is left.
-- A bucket holds p_most, and refills to that within a minute. Answers for each caller what is left, and whether there was one more.
-- For the service role only. Locks: the callers' rows, in order.
create function peerpause.count_requests(
  p_scope text,
  p_subjects text[],
  p_used integer[],
  p_most integer,
  p_wants_one boolean
)
returns table (subject text, remaining double precision, granted boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
begin
  return query
  with counted as (
    insert into peerpause.request_allowances as b (scope, subject, remaining, counted_at)
    select p_scope, u.subject, greatest(p_most - u.used, -p_most), v_now
    from unnest(p_subjects, p_used) as u (subject, used)
    order by u.subject
    on conflict on constraint request_allowances_pkey do update
      set
        remaining = greatest(
          least(b.remaining + greatest(extract(epoch from v_now - b.counted_at), 0) * p_most / 60.0, p_most)
          + excluded.remaining - p_most,
          -p_most
        ),
        -- Whoever waited for the row comes with an earlier moment: it must not count the same seconds twice. A moment far
        -- ahead is from a clock that was wrong.
        counted_at = case
          when b.counted_at between v_now and v_now + interval '1 minute' then b.counted_at else v_now
        end
    returning b.subject, b.remaining
  )
  select c.subject, c.remaining, false
  from counted as c;
  if not p_wants_one then
    return;
  end if;
  return query
  update peerpause.request_allowances as b
  set remaining = b.remaining - 1
  where b.scope = p_scope and b.subject = any(p_subjects) and b.remaining >= 1
  returning b.subject, b.remaining, true;
end
$$;

-- Drops the buckets that are full again because nobody has used them for long. For the service role only.
create function peerpause.forget_allowances()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from peerpause.request_allowances as b where b.counted_at < clock_timestamp() - interval '10 minutes';
end
$$;

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

-- The versions of the migrations that the ledger holds; no row where there is no ledger. For the service role only, so that a
-- running program can tell whether the database is as new as itself.
create function peerpause.applied_migrations()
returns setof text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass('supabase_migrations.schema_migrations') is null then
    return;
  end if;
  return query execute 'select m.version::text from supabase_migrations.schema_migrations as m';
end
$$;

-- The mentors of a chapter in the order asked for, for its coordinators and the organisation's admins. p_sort: name, status, paused_at,
-- expected_return_on or updated_at; mentors without such a date come last either way. Filters as in list_chapter_mentors. Page on
-- with the last row's mentor_id and, by p_sort, its name or status (p_after_word) or time (p_after_moment; null where it has none).
-- 42501: not the caller's chapter, or no such chapter. 22023: unknown status or order, limit out of range.
create function peerpause.sort_chapter_mentors(
  p_chapter_id uuid,
  p_status text,
  p_search text,
  p_sort text,
  p_descending boolean,
  p_limit integer,
  p_after_word text,
  p_after_moment timestamptz,
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
declare
  v_without constant timestamptz := case when p_descending then '-infinity' else 'infinity' end::timestamptz;
  v_after_word constant text := coalesce(p_after_word, '');
  v_after_moment constant timestamptz := coalesce(p_after_moment, v_without);
begin
  perform peerpause.require_limit(p_limit);
  if p_status is not null and not p_status = any(enum_range(null::public.mentor_status)::text[]) then
    raise exception 'unknown status' using errcode = '22023', hint = 'One of: active, paused, inactive.';
  end if;
  if p_sort is null or p_sort not in ('name', 'status', 'paused_at', 'expected_return_on', 'updated_at') then
    raise exception 'unknown order'
      using errcode = '22023', hint = 'One of: name, status, paused_at, expected_return_on, updated_at.';
  end if;
  perform peerpause.authorise_chapter(p_chapter_id);
  return query
  select
    k.id, k.display_name, k.first_name, k.status, k.pause_reason, k.pause_at, k.expected_return_on, k.reactivated_at, k.updated_at
  from (
    select
      p.*,
      case p_sort when 'name' then p.display_name when 'status' then p.status::text else '' end as word,
      coalesce(
        case p_sort
          when 'paused_at' then p.pause_at
          when 'updated_at' then p.updated_at
          when 'expected_return_on' then p.expected_return_on::timestamp at time zone 'UTC'
        end,
        v_without
      ) as moment
    from public.chapter_memberships as m
    inner join public.peer_mentors as p on p.id = m.mentor_id
    where
      m.chapter_id = p_chapter_id
      and (p_status is null or p.status = p_status::public.mentor_status)
      and (p_search is null or strpos(lower(p.display_name), lower(p_search)) > 0)
  ) as k
  where
    p_after_id is null
    or case
      when p_descending then (k.word, k.moment, k.id) < (v_after_word, v_after_moment, p_after_id)
      else (k.word, k.moment, k.id) > (v_after_word, v_after_moment, p_after_id)
    end
  order by
    case when not p_descending then k.word end,
    case when not p_descending then k.moment end,
    case when not p_descending then k.id end,
    case when p_descending then k.word end desc,
    case when p_descending then k.moment end desc,
    case when p_descending then k.id end desc
  limit p_limit;
end
$$;

-- Writes down a pause that starts later, in place of one that was planned before. Null where the row has moved on.
-- Moves updated_at on. Locks the mentor's row. P0001: the mentor is not active.
create or replace function peerpause.schedule_pause(
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
  -- A plan is part of what clients see, so the token moves on with it.
  update public.peer_mentors as p set updated_at = p.updated_at where p.id = p_mentor_id returning * into v_mentor;
  return v_mentor;
end
$$;

-- Takes back a pause that has not begun.
-- Answers whether there was one; then updated_at has moved on. Refuses: 42501 not yours; PT404 no such mentor. Locks the mentor's row.
create or replace function peerpause.cancel_scheduled_pause(p_mentor_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise(p_mentor_id);
  perform from public.peer_mentors as p where p.id = p_mentor_id for update;
  if not peerpause.settle_schedule(p_mentor_id, peerpause.caller(), 'cancelled') then
    return false;
  end if;
  update public.peer_mentors as p set updated_at = p.updated_at where p.id = p_mentor_id;
  return true;
end
$$;


-- Begins the pauses whose time has come, each exactly once. Called by the worker every few seconds; for the service role only.
--
-- Every mentor is looked at afresh: one who is no longer active is skipped, the row says so, and the coordinators are told. One who
-- cannot be paused is named in a warning and stays due; the rest go on. Locks: the scheduled row and the mentor's together, passing
-- over what others hold: many workers share the work, and one that never waits cannot deadlock with a person who holds the mentor
-- and plans anew.
-- Answers how many pauses began and how many were skipped.
create or replace function peerpause.apply_scheduled_changes(p_limit integer, out o_applied integer, out o_skipped integer)
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
    select s.organisation_id, s.mentor_id, s.reason, s.note, s.expected_return_on, s.requested_by, s.effective_at, p.status
    from public.scheduled_status_changes as s
    inner join public.peer_mentors as p on p.id = s.mentor_id
    where s.settled_at is null and s.effective_at <= clock_timestamp()
    order by s.effective_at
    limit p_limit
    for update of s, p skip locked
  loop
    if v_due.status <> 'active' then
      perform peerpause.settle_schedule(v_due.mentor_id, null, 'skipped');
      update public.peer_mentors as p set updated_at = p.updated_at where p.id = v_due.mentor_id;
      insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
      values (
        v_due.organisation_id, v_due.mentor_id, 'planned_pause_skipped', 'coordinators', (v_due.effective_at at time zone 'UTC')::date,
        jsonb_build_object('reason_code', v_due.reason)
      )
      on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
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

revoke all on function
peerpause.count_requests(text, text[], integer[], integer, boolean),
peerpause.forget_allowances(),
peerpause.claim_key(text, text, text, interval),
peerpause.extend_claim(text, timestamptz, interval),
peerpause.settle_claim(text, timestamptz, jsonb),
peerpause.key_holder(),
peerpause.applied_migrations(),
peerpause.sort_chapter_mentors(uuid, text, text, text, boolean, integer, text, timestamptz, uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.sort_chapter_mentors(uuid, text, text, text, boolean, integer, text, timestamptz, uuid),
peerpause.claim_key(text, text, text, interval),
peerpause.extend_claim(text, timestamptz, interval),
peerpause.settle_claim(text, timestamptz, jsonb)
to authenticated, service_role;

grant execute on function
peerpause.applied_migrations(),
peerpause.count_requests(text, text[], integer[], integer, boolean),
peerpause.forget_allowances()
to service_role;
