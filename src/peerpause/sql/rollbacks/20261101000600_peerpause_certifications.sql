-- Takes back what the twin of the same name added, with the data in it: renewals' history, notices, incidents.

-- The functions as they were.
drop function
peerpause.incidents_in_short(uuid[]),
peerpause.watch_certificates(),
peerpause.watchdog_problems(),
peerpause.last_due_run(timestamptz),
public.grant_certification_override(uuid, text, date, text),
peerpause.grant_certification_override(uuid, text, date, text),
public.record_renewal(uuid, date, date, text, text, text),
peerpause.record_renewal(uuid, date, date, text, text, text),
peerpause.authorise_staff(uuid),
peerpause.return_on_date(),
peerpause.make_reminders(),
peerpause.expiring_certificates(uuid, integer),
peerpause.cancel_notices(uuid),
peerpause.is_overtaken(public.mentor_notices),
peerpause.pause_lapsed(uuid, uuid[], jsonb),
peerpause.expire_batch(uuid, integer),
peerpause.begin_expiry_run(uuid[], interval),
peerpause.fail_job_run(uuid, text),
peerpause.job_run_report(uuid),
peerpause.lapsed_mentors_at(timestamptz),
peerpause.expired_certificates(uuid, text[], date, date, uuid, integer);

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

-- Begins the pauses whose time has come, each exactly once. Called by the worker every few seconds; for the service role only.
--
-- Every mentor is looked at afresh: one who is no longer active is skipped, and the row says so. One who cannot be paused is
-- named in a warning and stays due; the rest go on. Locks: the scheduled row and the mentor's together, passing over what others
-- hold: many workers share the work, and one that never waits cannot deadlock with a person who holds the mentor and plans anew.
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

-- Mentors whose required certificate has run out by today in their organisation's time zone and whom no override covers, in
-- order of id from after p_after, at most p_limit. For each required kind the latest certificate decides; its last day counts.
create or replace function peerpause.lapsed_mentors(p_chapter_ids uuid[], p_after uuid, p_limit integer)
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
create or replace function peerpause.finish_job_run(p_run_id uuid)
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
create or replace function peerpause.run_certification_expiry(p_chapter_ids uuid[])
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

-- Is the compliance promise kept, and does anyone watch over it? For the service role, and for admins of any organisation.
--
-- Answers {ok, checked_at, expired_but_active, last_success_at, problems: [{code, ...}]}. Codes: expired_but_active (lapsed mentors
-- still active more than 30 minutes after the last nightly run was due), run_missing (no successful full run for 24.5 hours),
-- run_failed, run_stuck (running for more than 30 minutes without a sign of life), outbox_stuck (changes untold for 15 minutes).
create or replace function peerpause.certification_watchdog()
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

create or replace function public.certification_watchdog()
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.certification_watchdog();
end
$$;

revoke all on function
peerpause.expire_batch(uuid, uuid[], uuid, integer)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.expire_batch(uuid, uuid[], uuid, integer)
to service_role;

-- The tables as they were. What was told of notices and incidents goes with them.
drop trigger peerpause_append_only on public.certification_overrides;
drop trigger peerpause_append_only_truncate on public.certification_overrides;

delete from public.notification_deliveries as d
where d.notice_id is not null;
drop index public.deliveries_once_per_notice;
drop index public.deliveries_notice_idx;
alter table public.notification_deliveries
  drop constraint deliveries_notice,
  drop constraint deliveries_have_one_cause,
  drop column notice_id,
  alter column history_id set not null;

delete from public.notifications as n
where n.history_id is null;
drop index public.notifications_once_per_notice;
drop index public.notifications_once_per_incident;
drop index public.notifications_notice_idx;
drop index public.notifications_incident_idx;
alter table public.notifications
  drop constraint notifications_notice,
  drop constraint notifications_incident,
  drop constraint notifications_have_one_cause,
  drop constraint notifications_name_the_mentor,
  drop column notice_id,
  drop column incident_id,
  alter column history_id set not null,
  alter column mentor_id set not null;
comment on column public.notifications.mentor_id is null;
comment on column public.notifications.payload is
  'NotificationPayload as JSON: event, mentor, statuses, reason code, actor, time, return date, deep link. No note.';

drop table peerpause.expiring_lists;
drop table public.watchdog_incidents;
drop table public.mentor_notices;
drop table public.certification_renewals;
drop function peerpause.refuse_change_of_record();

drop index public.peer_mentors_returning;
alter table public.organisations drop constraint organisations_reminders_are_days;
do $$
declare
  v_column text;
begin
  foreach v_column in array array['reminder_days', 'return_reminder_days', 'auto_return'] loop
    if not exists (
      select from peerpause.adopted_columns as a where a.table_name = 'organisations' and a.column_name = v_column
    ) then
      execute format('alter table public.organisations drop column %I', v_column);
    end if;
  end loop;
end
$$;

drop policy "admins see their own runs and the nightly, others their own" on public.job_runs;
create policy "admins see all runs and others those they started"
on public.job_runs for select to authenticated
using (
  started_by = (select auth.uid())
  or cardinality((select peerpause.my_organisations())::uuid[]) > 0
);

drop index public.certifications_mentor_idx;
create index certifications_mentor_idx on public.certifications (mentor_id, kind, expires_on desc);
drop index public.certifications_expiry;
drop index public.job_runs_one_at_a_time;
alter table public.job_runs
  drop constraint job_runs_fail_for_a_reason,
  drop column error_code,
  drop column visited,
  drop column expected,
  drop column reached_organisation_id,
  drop column reached_day,
  drop column reached_certification_id;
