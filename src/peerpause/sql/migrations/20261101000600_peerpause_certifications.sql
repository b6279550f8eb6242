-- Certificates over time: a nightly check that can be stopped anywhere and goes on, renewals, overrides, reminders, and a watchdog.

-- 1. Runs say how far they have come, and there is one at a time.
alter table public.job_runs
  add column error_code text,
  add column visited bigint not null default 0,
  add column expected bigint not null default 0,
  add column reached_organisation_id uuid,
  add column reached_day date,
  add column reached_certification_id uuid;

update public.job_runs as j
set error_code = 'unknown'
where j.status = 'failed';

alter table public.job_runs
  add constraint job_runs_fail_for_a_reason check ((status = 'failed') = (error_code is not null)) not valid;
-- squawk-ignore constraint-missing-not-valid -- a few rows a night: validated at once
alter table public.job_runs validate constraint job_runs_fail_for_a_reason;

comment on column public.job_runs.error_code is 'Why a run failed: a SQLSTATE, an error''s code, or lease_expired where it fell silent.';
comment on column public.job_runs.visited is 'Expired certificates looked at so far, of the number expected at the start.';
comment on column public.job_runs.reached_certification_id is
  'The last certificate looked at, in order of organisation, last valid day and id: from here the next batch goes on.';

create unique index job_runs_one_at_a_time on public.job_runs (job) where status = 'running';

create index certifications_expiry on public.certifications (organisation_id, expires_on, id);

drop policy "admins see all runs and others those they started" on public.job_runs;
create policy "admins see their own runs and the nightly, others their own"
on public.job_runs for select to authenticated
using (
  started_by = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or (organisation_id is null and started_by is null and cardinality((select peerpause.my_organisations())::uuid[]) > 0)
);

-- Replaced by one that keeps its place in the run's row. It was the service role's alone.
-- squawk-ignore ban-drop-function
drop function peerpause.expire_batch(uuid, uuid[], uuid, integer);

-- Writes the history: one row for every mentor whose status a statement changed or set for the first time, whatever the path.
--
-- Works on the whole statement at once, so that a nightly run of 100,000 mentors costs one insert. Who did it: our functions
-- and jobs say so in the transaction-local setting peerpause.change; that word counts only where row security does not bind
-- the one who ran the statement (argument `trusted`). A client's own statement is recorded with the signed-in person, whatever
-- settings they put on by hand.
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

-- A page of an organisation's certificates whose last day lies before p_today, in order of that day and of id, from after
-- (p_after_day, p_after_id). has_lapsed marks the one that keeps its mentor from being active: of a required kind, the latest of
-- that kind, the first of the mentor's to have run out, and not covered by an override. It marks a mentor at most once, and only
-- there the status is given. Every page is one range of one index, so that many pages cost no more than one.
create function peerpause.expired_certificates(
  p_organisation_id uuid,
  p_kinds text[],
  p_today date,
  p_after_day date,
  p_after_id uuid,
  p_limit integer
)
returns table (certification_id uuid, expires_on date, mentor_id uuid, status public.mentor_status, has_lapsed boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with page as materialized (
    select c.id, c.expires_on, c.mentor_id, c.kind
    from public.certifications as c
    where
      c.organisation_id = p_organisation_id
      and c.expires_on < p_today
      and (c.expires_on, c.id) > (p_after_day, p_after_id)
    order by c.expires_on, c.id
    limit p_limit
  ),
  -- Sub-selects and not joins: a page must never cost a pass over a whole table.
  judged as materialized (
    select
      g.id, g.expires_on, g.mentor_id,
      coalesce(g.kind = any(p_kinds), false)
      and g.id = (
        select n.id
        from public.certifications as n
        where n.mentor_id = g.mentor_id and n.kind = g.kind and n.issued_on <= p_today
        order by n.expires_on desc, n.id desc
        limit 1
      )
      and not exists (
        select from public.certification_overrides as v where v.mentor_id = g.mentor_id and v.valid_until >= p_today
      )
      and (
        cardinality(p_kinds) = 1
        or not exists (
          select from public.certifications as e
          where
            e.mentor_id = g.mentor_id
            and e.kind = any(p_kinds)
            and e.kind <> g.kind
            and e.issued_on <= p_today
            and (e.expires_on, e.id) < (g.expires_on, g.id)
            and e.id = (
              select n.id
              from public.certifications as n
              where n.mentor_id = e.mentor_id and n.kind = e.kind and n.issued_on <= p_today
              order by n.expires_on desc, n.id desc
              limit 1
            )
        )
      ) as has_lapsed
    from page as g
  )
  select
    j.id, j.expires_on, j.mentor_id,
    case when j.has_lapsed then (select p.status from public.peer_mentors as p where p.id = j.mentor_id) end,
    j.has_lapsed
  from judged as j
  order by j.expires_on, j.id;
end
$$;

-- Mentors whose required certificate had run out on the day it was at p_at where their organisation is, and whom no override
-- covers that day. For each required kind the latest certificate decides; its last day still counts as valid.
create function peerpause.lapsed_mentors_at(p_at timestamptz)
returns table (organisation_id uuid, mentor_id uuid, status public.mentor_status, expired_on date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select o.id, e.mentor_id, e.status, e.expires_on
  from public.organisations as o
  cross join lateral peerpause.expired_certificates(
    o.id, o.required_certification_kinds, (p_at at time zone o.time_zone)::date,
    '-infinity', '00000000-0000-0000-0000-000000000000', null
  ) as e
  where o.required_certification_kinds <> '{}' and e.has_lapsed;
end
$$;

-- The same as of now, in order of id from after p_after, at most p_limit; p_chapter_ids (null: all) keeps to these chapters.
create or replace function peerpause.lapsed_mentors(p_chapter_ids uuid[], p_after uuid, p_limit integer)
returns table (mentor_id uuid, status public.mentor_status, expired_on date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select l.mentor_id, l.status, l.expired_on
  from peerpause.lapsed_mentors_at(peerpause.clock()) as l
  where
    l.mentor_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
    and (
      p_chapter_ids is null
      or exists (
        select from public.chapter_memberships as m where m.mentor_id = l.mentor_id and m.chapter_id = any(p_chapter_ids)
      )
    )
  order by l.mentor_id
  limit p_limit;
end
$$;

-- What a run has done so far, or did: {job_id, status, queried, paused, skipped, errors, visited, expected, duration_ms}, and
-- error_code where it failed. An unknown run has failed.
create function peerpause.job_run_report(p_run_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run public.job_runs;
begin
  select * into v_run from public.job_runs as j where j.id = p_run_id;
  return jsonb_strip_nulls(
    jsonb_build_object(
      'job_id', p_run_id,
      'status', coalesce(v_run.status, 'failed'),
      'queried', coalesce(v_run.queried, 0),
      'paused', coalesce(v_run.paused, 0),
      'skipped', coalesce(v_run.skipped, 0),
      'errors', coalesce(v_run.errors, 0),
      'visited', coalesce(v_run.visited, 0),
      'expected', coalesce(v_run.expected, 0),
      'duration_ms',
      coalesce(round(extract(epoch from coalesce(v_run.finished_at, clock_timestamp()) - v_run.started_at) * 1000), 0),
      'error_code', v_run.error_code
    )
  );
end
$$;

-- Closes a run that came to its end, and answers what it did. One that is closed already stays as it is.
create or replace function peerpause.finish_job_run(p_run_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.job_runs as j
  set finished_at = clock_timestamp(), heartbeat_at = clock_timestamp(), status = 'succeeded'
  where j.id = p_run_id and j.status = 'running';
  return peerpause.job_run_report(p_run_id);
end
$$;

-- Closes a run that could not go on, with the code of the error, and answers what it did until then.
create function peerpause.fail_job_run(p_run_id uuid, p_error_code text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.job_runs as j
  set finished_at = clock_timestamp(), heartbeat_at = clock_timestamp(), status = 'failed', error_code = p_error_code
  where j.id = p_run_id and j.status = 'running';
  return peerpause.job_run_report(p_run_id);
end
$$;

-- Opens a run of the certificate check, unless there is one already. Null: another run is at it; its row has a fresh heartbeat.
--
-- The row is the lease: one running row at a time, whoever started it (pg_cron, a worker, a command, a coordinator). A running row
-- that has been silent for p_lease died with its process; it is closed as failed, and the new run goes on where mentors are still
-- active. 22023: a chapter that does not exist. Takes the job's advisory lock to the end of the transaction, and never waits for it.
create function peerpause.begin_expiry_run(p_chapter_ids uuid[], p_lease interval default '60 seconds')
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id uuid;
  v_organisation_ids uuid[];
begin
  if not pg_try_advisory_xact_lock(hashtextextended('peerpause.certification_expiry', 0)) then
    return null;
  end if;
  update public.job_runs as j
  set status = 'failed', finished_at = clock_timestamp(), error_code = 'lease_expired'
  where j.job = 'certification_expiry' and j.status = 'running' and j.heartbeat_at < clock_timestamp() - p_lease;
  if exists (select from public.job_runs as j where j.job = 'certification_expiry' and j.status = 'running') then
    return null;
  end if;

  if p_chapter_ids is not null then
    select array_agg(distinct c.organisation_id)
    into v_organisation_ids
    from public.chapters as c
    where c.id = any(p_chapter_ids)
    having count(*) = (select count(distinct i.id) from unnest(p_chapter_ids) as i (id));
    if v_organisation_ids is null then
      raise exception 'no such chapter' using errcode = '22023', hint = 'Check the chapter ids.';
    end if;
  end if;
  insert into public.job_runs (job, organisation_id, started_by, chapter_ids, expected)
  select
    'certification_expiry',
    case when cardinality(v_organisation_ids) = 1 then v_organisation_ids[1] end,
    peerpause.caller(),
    p_chapter_ids,
    (
      select count(*)
      from public.organisations as o
      inner join public.certifications as c on c.organisation_id = o.id and c.expires_on < peerpause.today(o.time_zone)
      where o.required_certification_kinds <> '{}' and (p_chapter_ids is null or o.id = any(v_organisation_ids))
    )
  returning id into v_run_id;
  return v_run_id;
end
$$;

-- The next batch of a run: looks at up to p_limit expired certificates and pauses the mentors they keep from being active.
--
-- Goes organisation by organisation, where the run's row says it has got to. Set-wise; only where a batch fails as a whole, mentor
-- by mentor, so that one bad row is named in the run's failures and the rest go on. Goes through the same trigger as every other
-- change. Mentors paused or inactive already are skipped; those that somebody else holds are left for the next run.
-- The batch that finds nothing left closes the run. A run that was closed meanwhile (its lease had expired) does nothing.
-- Locks: the job's advisory lock, the run's row, then mentors in order of id. Answers what finish_job_run answers, and the
-- batch's own failures.
create function peerpause.expire_batch(p_run_id uuid, p_limit integer)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_nowhere constant uuid := '00000000-0000-0000-0000-000000000000';
  v_run public.job_runs;
  v_organisation record;
  v_days date[];
  v_ids uuid[];
  v_lapsed bigint;
  v_active uuid[];
  v_expired_on jsonb;
  v_done jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('peerpause.certification_expiry', 0));
  select * into v_run from public.job_runs as j where j.id = p_run_id for update;
  if v_run.status is distinct from 'running' then
    return peerpause.job_run_report(p_run_id);
  end if;

  for v_organisation in
    select o.id, o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
    from public.organisations as o
    where
      o.required_certification_kinds <> '{}'
      and o.id >= coalesce(v_run.reached_organisation_id, v_nowhere)
      and (
        v_run.chapter_ids is null
        or exists (select from public.chapters as c where c.organisation_id = o.id and c.id = any(v_run.chapter_ids))
      )
    order by o.id
  loop
    select
      array_agg(e.expires_on order by e.expires_on, e.certification_id),
      array_agg(e.certification_id order by e.expires_on, e.certification_id),
      count(*) filter (where e.is_wanted),
      array_agg(e.mentor_id order by e.mentor_id) filter (where e.is_wanted and e.status = 'active'),
      jsonb_object_agg(e.mentor_id, e.expires_on) filter (where e.is_wanted and e.status = 'active')
    into v_days, v_ids, v_lapsed, v_active, v_expired_on
    from (
      select
        x.*,
        x.has_lapsed
        and (
          v_run.chapter_ids is null
          or exists (
            select from public.chapter_memberships as m
            where m.mentor_id = x.mentor_id and m.chapter_id = any(v_run.chapter_ids)
          )
        ) as is_wanted
      from peerpause.expired_certificates(
        v_organisation.id, v_organisation.kinds, v_organisation.today,
        case when v_organisation.id = v_run.reached_organisation_id then v_run.reached_day else '-infinity' end,
        case when v_organisation.id = v_run.reached_organisation_id then v_run.reached_certification_id else v_nowhere end,
        p_limit
      ) as x
    ) as e;
    continue when v_ids is null;

    v_done := peerpause.pause_lapsed(p_run_id, coalesce(v_active, '{}'), v_expired_on);
    update public.job_runs as j
    set
      heartbeat_at = clock_timestamp(),
      visited = j.visited + cardinality(v_ids),
      reached_organisation_id = v_organisation.id,
      reached_day = v_days[cardinality(v_ids)],
      reached_certification_id = v_ids[cardinality(v_ids)],
      queried = j.queried + v_lapsed,
      paused = j.paused + (v_done ->> 'paused')::bigint,
      skipped = j.skipped + v_lapsed - (v_done ->> 'paused')::bigint - jsonb_array_length(v_done -> 'failures'),
      errors = j.errors + jsonb_array_length(v_done -> 'failures'),
      failures = case when jsonb_array_length(j.failures) < 1000 then j.failures || (v_done -> 'failures') else j.failures end
    where j.id = p_run_id;
    return peerpause.job_run_report(p_run_id) || jsonb_build_object('failures', v_done -> 'failures');
  end loop;
  return peerpause.finish_job_run(p_run_id);
end
$$;

-- Pauses these mentors because their certificate lapsed. Answers {paused, failures: [{mentor_id, sqlstate}]}.
-- p_expired_on is {mentor id: last valid day}. Mentors that somebody else holds are passed over. Locks: mentors in order of id.
create function peerpause.pause_lapsed(p_run_id uuid, p_mentor_ids uuid[], p_expired_on jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_id uuid;
  v_paused integer := 0;
  v_failures jsonb := '[]'::jsonb;
begin
  perform
    set_config('peerpause.change', jsonb_build_object('actor_id', null, 'job_run_id', p_run_id)::text, true),
    set_config('peerpause.lapsed', coalesce(p_expired_on::text, ''), true);
  begin
    with held as (
      select p.id
      from public.peer_mentors as p
      where p.id = any(p_mentor_ids) and p.status = 'active'
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
      foreach v_mentor_id in array p_mentor_ids loop
        begin
          update public.peer_mentors as p
          set status = 'paused', pause_reason = 'certification_expired'
          where p.id = (
            select h.id from public.peer_mentors as h where h.id = v_mentor_id and h.status = 'active' for update skip locked
          );
          if found then
            v_paused := v_paused + 1;
          end if;
        exception
          when others then
            raise warning 'the certificate check could not pause mentor % (SQLSTATE %)', v_mentor_id, sqlstate;
            v_failures := v_failures || jsonb_build_object('mentor_id', v_mentor_id, 'sqlstate', sqlstate);
        end;
      end loop;
  end;
  perform set_config('peerpause.change', '', true), set_config('peerpause.lapsed', '', true);
  return jsonb_build_object('paused', v_paused, 'failures', v_failures);
end
$$;

-- The certificate check as one call: pauses every active mentor whose required certificate has lapsed.
--
-- The service role checks everyone, or the chapters it names; a coordinator their own chapters; an admin the organisation's.
-- Answers {job_id, status, queried, paused, skipped, errors, visited, expected, duration_ms}; status is already_running where
-- another run is at it, failed (with error_code) where it could not go on: then nobody was paused, and the run's row says so.
-- Running it twice changes nothing the second time. 42501: a chapter that is not the caller's, or nobody is signed in.
create or replace function peerpause.run_certification_expiry(p_chapter_ids uuid[])
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_chapter_ids uuid[] := p_chapter_ids;
  v_own_chapter_ids uuid[];
  v_chapter_id uuid;
  v_run_id uuid;
  v_report jsonb;
begin
  if not peerpause.caller_is_service() then
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

  v_run_id := peerpause.begin_expiry_run(v_chapter_ids);
  if v_run_id is null then
    return jsonb_build_object(
      'job_id', null, 'status', 'already_running', 'queried', 0, 'paused', 0, 'skipped', 0, 'errors', 0,
      'visited', 0, 'expected', 0, 'duration_ms', 0
    );
  end if;
  begin
    loop
      v_report := peerpause.expire_batch(v_run_id, 2000);
      exit when v_report ->> 'status' <> 'running';
    end loop;
  exception
    when others then
      raise warning 'the certificate check % failed (SQLSTATE %)', v_run_id, sqlstate;
      v_report := peerpause.fail_job_run(v_run_id, sqlstate);
  end;
  return v_report;
end
$$;

create or replace function public.run_certification_expiry(p_chapter_ids uuid[] default null)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.run_certification_expiry(p_chapter_ids);
end
$$;

-- Who may call the new functions. Closed first, because PostgreSQL opens new functions to everyone.
revoke all on function
peerpause.expired_certificates(uuid, text[], date, date, uuid, integer),
peerpause.lapsed_mentors_at(timestamptz),
peerpause.job_run_report(uuid),
peerpause.fail_job_run(uuid, text),
peerpause.begin_expiry_run(uuid[], interval),
peerpause.expire_batch(uuid, integer),
peerpause.pause_lapsed(uuid, uuid[], jsonb)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.expired_certificates(uuid, text[], date, date, uuid, integer),
peerpause.lapsed_mentors_at(timestamptz),
peerpause.job_run_report(uuid),
peerpause.fail_job_run(uuid, text),
peerpause.begin_expiry_run(uuid[], interval),
peerpause.expire_batch(uuid, integer),
peerpause.pause_lapsed(uuid, uuid[], jsonb)
to service_role;
