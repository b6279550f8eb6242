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

-- The latest certificate of a kind is found in the index alone; most certificates the check looks at have been renewed.
-- squawk-ignore require-concurrent-index-deletion -- takes a moment; its successor stands in the same transaction
drop index public.certifications_mentor_idx;
create index certifications_mentor_idx on public.certifications (mentor_id, kind, expires_on desc, id desc) include (issued_on);
create index certifications_expiry on public.certifications (organisation_id, expires_on, id);

drop policy "admins see all runs and others those they started" on public.job_runs;
create policy "admins see their own runs and the nightly, others their own"
on public.job_runs for select to authenticated
using (
  started_by = (select auth.uid())
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or (organisation_id is null and started_by is null and cardinality((select peerpause.my_organisations())::uuid[]) > 0)
);

-- 2. What organisations decide: when to remind, and whether a pause ends by itself.
alter table public.organisations
  add column if not exists reminder_days integer[] not null default '{60,30,7}',
  add column if not exists return_reminder_days integer[] not null default '{7,2,0}',
  add column if not exists auto_return boolean not null default false;

alter table public.organisations
  add constraint organisations_reminders_are_days check (
    array_position(reminder_days, null) is null
    and 0 <= all(reminder_days)
    and 365 >= all(reminder_days)
    and array_position(return_reminder_days, null) is null
    and 0 <= all(return_reminder_days)
    and 365 >= all(return_reminder_days)
  ) not valid;
-- squawk-ignore constraint-missing-not-valid -- one row for each organisation: validated at once
alter table public.organisations validate constraint organisations_reminders_are_days;

comment on column public.organisations.reminder_days is 'So many days before a certificate runs out its mentor is reminded.';
comment on column public.organisations.return_reminder_days is 'So many days before the expected return a paused mentor is reminded.';
comment on column public.organisations.auto_return is 'Whether a pause ends by itself on its return date; never past an expired certificate.';

create index peer_mentors_returning on public.peer_mentors (organisation_id, expected_return_on) where expected_return_on is not null;

-- 3. Renewals, notices that no change causes, the months whose list was made, and what the watchdog found.

-- One row for every renewal a person or the organisation's own system recorded. Append-only; the certificate itself is a row of
-- certifications.
create table public.certification_renewals (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  certification_id uuid not null,
  kind text not null,
  issued_on date not null,
  expires_on date,
  previous_expires_on date,
  ended_pause boolean not null,
  note text,
  recorded_by uuid,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (organisation_id, id),
  constraint renewals_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint renewals_note_is_short check (char_length(note) <= 2000)
);

comment on table public.certification_renewals is 'Append-only: who recorded which renewal, when, and whether it brought the mentor back.';
comment on column public.certification_renewals.previous_expires_on is 'Last valid day of the latest certificate of the kind before; null where there was none, or it had no end.';
comment on column public.certification_renewals.ended_pause is 'Whether the mentor became active again by it.';
comment on column public.certification_renewals.recorded_by is 'Null where a system recorded it.';

create index renewals_mentor_idx on public.certification_renewals (mentor_id, recorded_at desc);
create index renewals_organisation on public.certification_renewals (organisation_id, mentor_id);

alter table public.certification_renewals enable row level security;
alter table public.certification_renewals force row level security;
revoke all on table public.certification_renewals from public, anon, authenticated, service_role;

-- What people are told of a mentor although no status changed: reminders, a renewal, a planned pause that could not begin. The
-- outbox turns each row into inbox entries and deliveries, as it does with the rows of the history.
create table public.mentor_notices (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  event text not null,
  audience text not null,
  due_on date not null,
  certification_id uuid,
  facts jsonb not null default '{}'::jsonb,
  batch_id uuid,
  created_at timestamptz not null default clock_timestamp(),
  told_at timestamptz,
  cancelled_at timestamptz,
  primary key (organisation_id, id),
  constraint notices_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint notices_event_is_known check (
    event in (
      'certification_expiring', 'certification_renewed', 'pause_about_to_start', 'planned_pause_skipped', 'return_near', 'return_passed'
    )
  ),
  constraint notices_audience_is_known check (audience in ('mentor', 'coordinators', 'both'))
);

comment on table public.mentor_notices is 'Reminders and other notices that no status change causes; each is made once.';
comment on column public.mentor_notices.due_on is 'The day the notice stands for, in the organisation''s time zone: it makes the same notice come only once.';
comment on column public.mentor_notices.facts is
  'What the payload adds: certification_expires_on, expected_return_on, pause_starts_on, reason_code, actor_id. No note.';
comment on column public.mentor_notices.batch_id is 'Notices of one monthly list: their pushes are summed up for each recipient.';
comment on column public.mentor_notices.cancelled_at is 'When it was overtaken by events before anybody was told.';

create unique index notices_once
on public.mentor_notices (mentor_id, event, audience, due_on, certification_id) nulls not distinct;
create index notices_untold on public.mentor_notices (id) where told_at is null and cancelled_at is null;
create index notices_mentor_idx on public.mentor_notices (organisation_id, mentor_id);

alter table public.mentor_notices enable row level security;
alter table public.mentor_notices force row level security;
revoke all on table public.mentor_notices from public, anon, authenticated, service_role;

-- What the watchdog found wrong, from the first time it saw it until it was gone. Admins are told at both ends, once.
create table public.watchdog_incidents (
  organisation_id uuid not null references public.organisations (id),
  id uuid not null default peerpause.time_ordered_uuid(),
  code text not null,
  facts jsonb not null default '{}'::jsonb,
  opened_at timestamptz not null default clock_timestamp(),
  cleared_at timestamptz,
  primary key (organisation_id, id),
  constraint incidents_code_is_known check (
    code in ('expired_but_active', 'run_missing', 'run_failed', 'run_stuck', 'outbox_stuck')
  )
);

comment on table public.watchdog_incidents is 'Broken promises of the certificate check, organisation by organisation.';
comment on column public.watchdog_incidents.facts is 'What was seen when it was opened: counts and ids.';

create unique index incidents_open on public.watchdog_incidents (organisation_id, code) where cleared_at is null;

alter table public.watchdog_incidents enable row level security;
alter table public.watchdog_incidents force row level security;
revoke all on table public.watchdog_incidents from public, anon, authenticated, service_role;

-- The coordinators' monthly lists of certificates that run out soon: that a month's list was made, also where it was empty.
create table peerpause.expiring_lists (
  organisation_id uuid not null references public.organisations (id),
  month date not null,
  id uuid not null default gen_random_uuid(),
  made_at timestamptz not null default clock_timestamp(),
  primary key (organisation_id, month),
  constraint expiring_lists_month_is_its_first_day check (extract(day from month) = 1)
);

comment on table peerpause.expiring_lists is 'One row for each organisation and month whose list was made.';

alter table peerpause.expiring_lists enable row level security;
alter table peerpause.expiring_lists force row level security;
revoke all on table peerpause.expiring_lists from public, anon, authenticated, service_role;

-- 4. The inbox and the delivery log take notices and incidents too.
alter table public.notifications
  -- squawk-ignore ban-drop-not-null -- null only in rows of a new kind
  alter column mentor_id drop not null,
  -- squawk-ignore ban-drop-not-null -- null only in rows of a new kind
  alter column history_id drop not null,
  add column notice_id uuid,
  add column incident_id uuid;

alter table public.notifications
  add constraint notifications_notice foreign key (organisation_id, notice_id)
  references public.mentor_notices (organisation_id, id) not valid,
  add constraint notifications_incident foreign key (organisation_id, incident_id)
  references public.watchdog_incidents (organisation_id, id) not valid,
  add constraint notifications_have_one_cause check (num_nonnulls(history_id, notice_id, incident_id) = 1) not valid,
  add constraint notifications_name_the_mentor check ((mentor_id is null) = (incident_id is not null)) not valid;
alter table public.notifications
  -- squawk-ignore constraint-missing-not-valid -- null in every row so far: nothing is looked up
  validate constraint notifications_notice,
  -- squawk-ignore constraint-missing-not-valid -- null in every row so far: nothing is looked up
  validate constraint notifications_incident,
  -- squawk-ignore constraint-missing-not-valid -- null in every row so far: nothing is looked up
  validate constraint notifications_have_one_cause,
  -- squawk-ignore constraint-missing-not-valid -- null in every row so far: nothing is looked up
  validate constraint notifications_name_the_mentor;

comment on column public.notifications.mentor_id is 'Null for an incident, which is about no one mentor.';
comment on column public.notifications.payload is
  'NotificationPayload as JSON: event, mentor, statuses, reason code, actor, time, return date, deep link. No note. AlertPayload for an incident.';

create unique index notifications_once_per_notice on public.notifications (notice_id, recipient_id);
create unique index notifications_once_per_incident on public.notifications (incident_id, recipient_id, event);
create index notifications_notice_idx on public.notifications (organisation_id, notice_id) where notice_id is not null;
create index notifications_incident_idx on public.notifications (organisation_id, incident_id) where incident_id is not null;

alter table public.notification_deliveries
  -- squawk-ignore ban-drop-not-null -- null only in rows of a new kind
  alter column history_id drop not null,
  add column notice_id uuid;

alter table public.notification_deliveries
  add constraint deliveries_notice foreign key (organisation_id, notice_id)
  references public.mentor_notices (organisation_id, id) not valid,
  add constraint deliveries_have_one_cause check (num_nonnulls(history_id, notice_id) = 1) not valid;
alter table public.notification_deliveries
  -- squawk-ignore constraint-missing-not-valid -- null in every row so far: nothing is looked up
  validate constraint deliveries_notice,
  -- squawk-ignore constraint-missing-not-valid -- null in every row so far: nothing is looked up
  validate constraint deliveries_have_one_cause;

create unique index deliveries_once_per_notice on public.notification_deliveries (notice_id, recipient_id, channel);
create index deliveries_notice_idx on public.notification_deliveries (organisation_id, notice_id) where notice_id is not null;

-- 5. The functions.

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
  v_nowhere constant uuid := '00000000-0000-0000-0000-000000000000'::uuid;
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

-- Append-only means everyone: what was recorded is never changed and never removed. Erasing a person is the one exception, as in
-- the history (peerpause.erasing, which counts only where row security does not bind).
create function peerpause.refuse_change_of_record()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if
    tg_op = 'UPDATE'
    and current_setting('peerpause.erasing', true) = old.mentor_id::text
    and not row_security_active(tg_relid)
  then
    return new;
  end if;
  raise exception '% is append-only', tg_table_name
    using errcode = '42501', hint = 'Nobody may change or remove what has been recorded. Record anew what holds from now on.';
end
$$;

-- Whether events have overtaken a notice: the certificate was renewed, the mentor is back, the planned pause was called off.
create function peerpause.is_overtaken(p_notice public.mentor_notices)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  case p_notice.event
    when 'certification_expiring' then
      return not exists (
        select from public.certifications as c
        inner join public.peer_mentors as p on p.id = c.mentor_id
        where
          c.id = p_notice.certification_id
          and c.expires_on = (p_notice.facts ->> 'certification_expires_on')::date
          and p.status <> 'inactive'
          and not exists (
            select from public.certifications as n
            where n.mentor_id = c.mentor_id and n.kind = c.kind and coalesce(n.expires_on, 'infinity'::date) > c.expires_on
          )
      );
    when 'return_near', 'return_passed' then
      return not exists (
        select from public.peer_mentors as p
        where
          p.id = p_notice.mentor_id
          and p.status = 'paused'
          and p.expected_return_on = (p_notice.facts ->> 'expected_return_on')::date
      );
    when 'pause_about_to_start' then
      return not exists (
        select from public.scheduled_status_changes as s where s.mentor_id = p_notice.mentor_id and s.settled_at is null
      );
    else
      return false;
  end case;
end
$$;

-- Cancels what has been overtaken and has not gone out yet, for one mentor or (null) for all. Inbox entries stay. Answers how many
-- notices and deliveries.
create function peerpause.cancel_notices(p_mentor_id uuid)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_notices bigint;
  v_deliveries bigint;
begin
  update public.mentor_notices as n
  set cancelled_at = clock_timestamp()
  where
    n.told_at is null
    and n.cancelled_at is null
    and (p_mentor_id is null or n.mentor_id = p_mentor_id)
    and peerpause.is_overtaken(n);
  get diagnostics v_notices = row_count;
  delete from public.notification_deliveries as d
  using public.mentor_notices as n
  where
    d.notice_id = n.id
    and d.organisation_id = n.organisation_id
    and d.state = 'pending'
    and d.attempts = 0
    and (p_mentor_id is null or n.mentor_id = p_mentor_id)
    and peerpause.is_overtaken(n);
  get diagnostics v_deliveries = row_count;
  return v_notices + v_deliveries;
end
$$;

-- Certificates that run out within p_days days, today included: of a required kind, the latest of that kind, of mentors who have
-- not left. days_left is 0 on the last valid day.
create function peerpause.expiring_certificates(p_organisation_id uuid, p_days integer)
returns table (certification_id uuid, mentor_id uuid, expires_on date, days_left integer)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with here as materialized (
    select o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
    from public.organisations as o
    where o.id = p_organisation_id
  )
  select c.id, c.mentor_id, c.expires_on, c.expires_on - h.today
  from here as h
  inner join public.certifications as c on c.kind = any(h.kinds)
  inner join public.peer_mentors as p on p.id = c.mentor_id and p.status <> 'inactive'
  where
    c.organisation_id = p_organisation_id
    and c.expires_on between h.today and h.today + p_days
    and c.issued_on <= h.today
    and not exists (
      select from public.certifications as n
      where
        n.mentor_id = c.mentor_id
        and n.kind = c.kind
        and (coalesce(n.expires_on, 'infinity'::date), n.id) > (c.expires_on, c.id)
    );
end
$$;

-- Makes the notices that are due, organisation by organisation; each is made once, however often this runs.
--
--   1. brings back whose return date has come, where the organisation chose that;
--   2. cancels what has been overtaken;
--   3. certificates running out: to the mentor, for the nearest threshold of reminder_days that has been reached;
--   4. once a month: to the coordinators, what runs out within 60 days;
--   5. returns: to the mentor before the date, to mentor and coordinators when it has passed;
--   6. planned pauses: to both, on the day before.
--
-- For the service role. Answers {status, made, cancelled, returned}; status is already_running where another is at it.
create function peerpause.make_reminders()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_organisation record;
  v_today date;
  v_list_id uuid;
  v_returned bigint;
  v_cancelled bigint;
  v_rows bigint;
  v_made bigint := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('peerpause.reminders', 0)) then
    return jsonb_build_object('status', 'already_running', 'made', 0, 'cancelled', 0, 'returned', 0);
  end if;
  v_returned := peerpause.return_on_date();
  v_cancelled := peerpause.cancel_notices(null);

  for v_organisation in select o.* from public.organisations as o order by o.id loop
    v_today := peerpause.today(v_organisation.time_zone);

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, certification_id, facts)
    select
      v_organisation.id, e.mentor_id, 'certification_expiring', 'mentor', e.expires_on - t.days, e.certification_id,
      jsonb_build_object('certification_expires_on', e.expires_on)
    from peerpause.expiring_certificates(v_organisation.id, (select max(d.days) from unnest(v_organisation.reminder_days) as d (days))) as e
    cross join lateral (
      select min(d.days) as days from unnest(v_organisation.reminder_days) as d (days) where d.days >= e.days_left
    ) as t
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;

    if v_organisation.required_certification_kinds <> '{}' then
      insert into peerpause.expiring_lists (organisation_id, month)
      values (v_organisation.id, date_trunc('month', v_today)::date)
      on conflict (organisation_id, month) do nothing
      returning id into v_list_id;
      if found then
        insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, certification_id, facts, batch_id)
        select
          v_organisation.id, e.mentor_id, 'certification_expiring', 'coordinators', date_trunc('month', v_today)::date,
          e.certification_id, jsonb_build_object('certification_expires_on', e.expires_on), v_list_id
        from peerpause.expiring_certificates(v_organisation.id, 60) as e
        on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
        get diagnostics v_rows = row_count;
        v_made := v_made + v_rows;
      end if;
    end if;

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
    select
      v_organisation.id, p.id, 'return_near', 'mentor', p.expected_return_on - t.days,
      jsonb_build_object('expected_return_on', p.expected_return_on)
    from public.peer_mentors as p
    cross join lateral (
      select min(d.days) as days
      from unnest(v_organisation.return_reminder_days) as d (days)
      where d.days >= p.expected_return_on - v_today
    ) as t
    where
      p.organisation_id = v_organisation.id
      and p.status = 'paused'
      and p.expected_return_on >= v_today
      -- Whoever pauses for three days has just said so, and needs no reminder for a week before.
      and p.expected_return_on - t.days > (p.pause_at at time zone v_organisation.time_zone)::date
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
    select
      v_organisation.id, p.id, 'return_passed', 'both', p.expected_return_on + 1,
      jsonb_build_object('expected_return_on', p.expected_return_on)
    from public.peer_mentors as p
    where
      p.organisation_id = v_organisation.id
      and p.status = 'paused'
      and p.expected_return_on between v_today - 30 and v_today - 1
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;

    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, facts)
    select
      s.organisation_id, s.mentor_id, 'pause_about_to_start', 'both', (s.effective_at at time zone v_organisation.time_zone)::date - 1,
      jsonb_build_object(
        'pause_starts_on', (s.effective_at at time zone v_organisation.time_zone)::date,
        'expected_return_on', s.expected_return_on,
        'reason_code', s.reason
      )
    from public.scheduled_status_changes as s
    inner join public.peer_mentors as p on p.id = s.mentor_id and p.status = 'active'
    where
      s.organisation_id = v_organisation.id
      and s.settled_at is null
      and s.effective_at between v_now and v_now + interval '24 hours'
      and s.requested_at < s.effective_at - interval '24 hours'
    on conflict (mentor_id, event, audience, due_on, certification_id) do nothing;
    get diagnostics v_rows = row_count;
    v_made := v_made + v_rows;
  end loop;
  return jsonb_build_object('status', 'made', 'made', v_made, 'cancelled', v_cancelled, 'returned', v_returned);
end
$$;

-- Ends the pauses whose return date has come, in organisations that chose so; nobody whose required certificate has lapsed.
-- One who cannot come back is named in a warning, and the rest go on. Locks: mentors in order of id, passing over what others hold.
create function peerpause.return_on_date()
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_id uuid;
  v_returned bigint := 0;
begin
  for v_mentor_id in
    select p.id
    from public.organisations as o
    inner join public.peer_mentors as p on p.organisation_id = o.id
    where
      o.auto_return
      and p.status = 'paused'
      and p.expected_return_on <= peerpause.today(o.time_zone)
      and peerpause.blocking_lapse(p.id, o.id) is null
    order by p.id
    for update of p skip locked
  loop
    begin
      perform peerpause.change_status(v_mentor_id, 'active', null, 'return_date_reached', null, null, null);
      v_returned := v_returned + 1;
    exception
      when others then
        raise warning 'mentor % could not return on the date (SQLSTATE %)', v_mentor_id, sqlstate;
    end;
  end loop;
  return v_returned;
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

-- Whose organisation the mentor belongs to, if the caller answers for the mentor as somebody else: a coordinator of the mentor's
-- chapters, an admin, or the service role. PT404, 42501: as peerpause.authorise; 42501 also for the mentor.
create function peerpause.authorise_staff(p_mentor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
begin
  if
    not peerpause.caller_is_service()
    and exists (select from public.peer_mentors as p where p.id = p_mentor_id and p.user_id = (select auth.uid()))
  then
    raise exception 'nobody vouches for themselves'
      using errcode = '42501', hint = 'Ask another coordinator of your chapter, or an admin.';
  end if;
  return v_organisation_id;
end
$$;

-- Records that a mentor's certificate was renewed, and brings the mentor back where the pause was for the certificate.
--
-- Adds a certificate and a row to the append-only history of renewals. A pause whose reason is certification_expired ends in the
-- same transaction, if nothing required is lapsed any more; any other pause stays. The mentor is told either way, and reminders of
-- the old certificate are cancelled. p_expires_at is the last valid day (null: no end); without p_kind it is the one kind that the
-- organisation requires, else peer_mentor.
-- Answers {success, mentor_id, certification_id, kind, expires_on, reactivated, status, updated_at}. Refuses: 42501 not yours, or
-- your own; PT404 no such mentor; 22023 a first day in the future, a last day in the past or before the first, a note too long.
-- Locks: the key's row if one is given, then the mentor's row.
create function peerpause.record_renewal(
  p_mentor_id uuid,
  p_issued_at date,
  p_expires_at date,
  p_note text,
  p_kind text,
  p_idempotency_key text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise_staff(p_mentor_id);
  v_actor_id constant uuid := peerpause.caller();
  v_note constant text := nullif(btrim(p_note), '');
  v_organisation record;
  v_mentor public.peer_mentors;
  v_kind text := nullif(btrim(p_kind), '');
  v_previous date;
  v_certification_id uuid;
  v_reactivates boolean;
  v_known boolean;
  v_answer jsonb;
begin
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'record_renewal', v_organisation_id,
      jsonb_build_array(p_mentor_id, p_issued_at, p_expires_at, v_note, v_kind)
    ) as f;
    if v_known then
      return v_answer;
    end if;
  end if;

  select o.required_certification_kinds as kinds, peerpause.today(o.time_zone) as today
  into v_organisation
  from public.organisations as o
  where o.id = v_organisation_id;
  if p_issued_at is null or p_issued_at > v_organisation.today then
    raise exception 'a certificate is issued today or earlier'
      using errcode = '22023', hint = 'Give p_issued_at, the first valid day; record the renewal when it has come.';
  end if;
  if p_expires_at < p_issued_at or p_expires_at < v_organisation.today then
    raise exception 'the certificate would have run out already'
      using errcode = '22023', hint = 'p_expires_at is the last valid day: today or later, or null for no end.';
  end if;
  if char_length(v_note) > 2000 then
    raise exception 'the note is longer than 2000 characters' using errcode = '22023', hint = 'Shorten it.';
  end if;
  if v_kind is null then
    v_kind := case when cardinality(v_organisation.kinds) = 1 then v_organisation.kinds[1] else 'peer_mentor' end;
  end if;

  select * into v_mentor from public.peer_mentors as p where p.id = p_mentor_id for update;
  select c.expires_on
  into v_previous
  from public.certifications as c
  where c.mentor_id = p_mentor_id and c.kind = v_kind and c.issued_on <= v_organisation.today
  order by c.expires_on desc
  limit 1;
  insert into public.certifications (organisation_id, mentor_id, kind, issued_on, expires_on, recorded_by)
  values (v_organisation_id, p_mentor_id, v_kind, p_issued_at, p_expires_at, v_actor_id)
  returning id into v_certification_id;

  v_reactivates :=
    v_mentor.status = 'paused'
    and v_mentor.pause_reason = 'certification_expired'
    and peerpause.certification_lapsed_on(p_mentor_id, v_organisation.kinds, v_organisation.today) is null;
  insert into public.certification_renewals (
    organisation_id, mentor_id, certification_id, kind, issued_on, expires_on, previous_expires_on, ended_pause, note, recorded_by
  )
  values (
    v_organisation_id, p_mentor_id, v_certification_id, v_kind, p_issued_at, p_expires_at, v_previous, v_reactivates, v_note, v_actor_id
  );
  if v_reactivates then
    v_mentor := peerpause.change_status(p_mentor_id, 'active', v_actor_id, 'certification_renewed', null, null, null);
  elsif v_mentor.status <> 'inactive' then
    insert into public.mentor_notices (organisation_id, mentor_id, event, audience, due_on, certification_id, facts)
    values (
      v_organisation_id, p_mentor_id, 'certification_renewed', 'mentor', v_organisation.today, v_certification_id,
      jsonb_build_object('certification_expires_on', p_expires_at, 'actor_id', v_actor_id)
    );
  end if;
  perform peerpause.cancel_notices(p_mentor_id);

  v_answer := jsonb_build_object(
    'success', true,
    'mentor_id', p_mentor_id,
    'certification_id', v_certification_id,
    'kind', v_kind,
    'expires_on', p_expires_at,
    'reactivated', v_reactivates,
    'status', v_mentor.status,
    'updated_at', v_mentor.updated_at
  );
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(p_idempotency_key, v_answer);
  end if;
  return v_answer;
end
$$;

create function public.record_renewal(
  p_mentor_id uuid,
  p_issued_at date,
  p_expires_at date,
  p_note text default null,
  p_kind text default null,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.record_renewal(p_mentor_id, p_issued_at, p_expires_at, p_note, p_kind, p_idempotency_key);
end
$$;

-- Lets a mentor be active although a required certificate has expired, up to and including a day. Does not change the status:
-- whoever may, reactivates the mentor; the first night after the last day pauses them again.
--
-- Answers {success, mentor_id, override_id, valid_until}. Refuses: 42501 not an admin of the organisation, or for oneself; PT404 no
-- such mentor; 22023 a justification of fewer than 10 or more than 2000 characters, a last day in the past or more than a year away.
create function peerpause.grant_certification_override(
  p_mentor_id uuid,
  p_justification text,
  p_valid_until date,
  p_idempotency_key text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise_staff(p_mentor_id);
  v_justification constant text := btrim(p_justification);
  v_today date;
  v_override_id uuid;
  v_known boolean;
  v_answer jsonb;
begin
  if not peerpause.caller_is_service() and not v_organisation_id = any(peerpause.my_organisations()) then
    raise exception 'an override is for an admin to grant' using errcode = '42501', hint = 'Ask an admin of the organisation.';
  end if;
  if p_idempotency_key is not null then
    select f.o_known, f.o_response
    into v_known, v_answer
    from peerpause.first_answer(
      p_idempotency_key, 'grant_certification_override', v_organisation_id,
      jsonb_build_array(p_mentor_id, v_justification, p_valid_until)
    ) as f;
    if v_known then
      return v_answer;
    end if;
  end if;

  select peerpause.today(o.time_zone) into v_today from public.organisations as o where o.id = v_organisation_id;
  if v_justification is null or char_length(v_justification) not between 10 and 2000 then
    raise exception 'an override needs a justification of 10 to 2000 characters'
      using errcode = '22023', hint = 'Say why the mentor may go on without a valid certificate; it is kept for good.';
  end if;
  if p_valid_until is null or p_valid_until < v_today or p_valid_until > v_today + 366 then
    raise exception 'an override ends on a day between today and a year from now'
      using errcode = '22023', hint = 'Give p_valid_until, its last day.';
  end if;
  insert into public.certification_overrides (organisation_id, mentor_id, justification, valid_until, granted_by)
  values (v_organisation_id, p_mentor_id, v_justification, p_valid_until, peerpause.caller())
  returning id into v_override_id;
  v_answer := jsonb_build_object(
    'success', true, 'mentor_id', p_mentor_id, 'override_id', v_override_id, 'valid_until', p_valid_until
  );
  if p_idempotency_key is not null then
    perform peerpause.keep_answer(p_idempotency_key, v_answer);
  end if;
  return v_answer;
end
$$;

create function public.grant_certification_override(
  p_mentor_id uuid,
  p_justification text,
  p_valid_until date,
  p_idempotency_key text default null
)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.grant_certification_override(p_mentor_id, p_justification, p_valid_until, p_idempotency_key);
end
$$;

-- The latest nightly run (02:00 UTC) that has had its half hour by p_now: by then everybody who had lapsed must be off the list.
create function peerpause.last_due_run(p_now timestamptz)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (date_trunc('day', (p_now at time zone 'UTC') - interval '2 hours 30 minutes') + interval '2 hours') at time zone 'UTC';
end
$$;

-- What is wrong right now, one row for each organisation and code; organisation_id is null for what concerns all of them.
--
-- expired_but_active: lapsed before the last nightly run was due, lapsed still, and active. run_missing: no full run has succeeded
-- since then. run_failed: the last full run failed. run_stuck: a run is going for more than 30 minutes, or has been silent for 5.
-- outbox_stuck: changes or notices untold, or deliveries overdue, for 15 minutes.
create function peerpause.watchdog_problems()
returns table (organisation_id uuid, code text, facts jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_due constant timestamptz := peerpause.last_due_run(peerpause.clock());
  v_last_success timestamptz;
  v_last public.job_runs;
begin
  return query
  select
    l.organisation_id, 'expired_but_active',
    jsonb_build_object('mentors', count(*), 'mentor_ids', to_jsonb((array_agg(l.mentor_id order by l.mentor_id))[1:100]))
  from peerpause.lapsed_mentors_at(v_due) as l
  where
    l.status = 'active'
    and exists (select from peerpause.lapsed_mentors_at(v_now) as n where n.mentor_id = l.mentor_id)
  group by l.organisation_id;

  select max(j.finished_at) into v_last_success
  from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded';
  if coalesce(v_last_success, '-infinity') < v_due then
    return query select null::uuid, 'run_missing', jsonb_build_object('last_success_at', v_last_success, 'due_at', v_due);
  end if;

  select * into v_last from public.job_runs as j
  where j.job = 'certification_expiry' and j.chapter_ids is null
  order by j.started_at desc
  limit 1;
  if v_last.status = 'failed' then
    return query select null::uuid, 'run_failed', jsonb_build_object('job_id', v_last.id, 'error_code', v_last.error_code);
  end if;

  return query
  select null::uuid, 'run_stuck', jsonb_build_object('job_id', j.id, 'started_at', j.started_at)
  from public.job_runs as j
  where
    j.job = 'certification_expiry'
    and j.status = 'running'
    and (j.started_at < v_now - interval '30 minutes' or j.heartbeat_at < v_now - interval '5 minutes')
  limit 1;

  return query
  select w.organisation_id, 'outbox_stuck', jsonb_build_object('waiting', sum(w.waiting))
  from (
    select h.organisation_id, count(*) as waiting
    from public.peer_mentor_status_history as h
    where h.told_at is null and h.changed_at < v_now - interval '15 minutes'
    group by h.organisation_id
    union all
    select n.organisation_id, count(*)
    from public.mentor_notices as n
    where n.told_at is null and n.cancelled_at is null and n.created_at < v_now - interval '15 minutes'
    group by n.organisation_id
    union all
    select d.organisation_id, count(*)
    from public.notification_deliveries as d
    where d.state = 'pending' and d.not_before < v_now - interval '15 minutes'
    group by d.organisation_id
  ) as w
  group by w.organisation_id;
end
$$;

-- Is the compliance promise kept, and does anyone watch over it? For the service role, and for admins about their organisations.
--
-- Answers {ok, checked_at, expired_but_active, last_success_at, problems: [{code, ...}]}, one problem for each code that
-- peerpause.watchdog_problems found, with its facts; counts are summed over organisations. Changes nothing. 42501: not an admin.
create or replace function peerpause.certification_watchdog()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_service constant boolean := peerpause.caller_is_service();
  v_problems jsonb;
begin
  if not v_service and peerpause.my_organisations() = '{}' then
    raise exception 'the watchdog is for admins' using errcode = '42501', hint = 'Sign in as an admin of an organisation.';
  end if;
  with seen as materialized (
    select w.organisation_id, w.code, w.facts
    from peerpause.watchdog_problems() as w
    where v_service or w.organisation_id is null or w.organisation_id = any(peerpause.my_organisations())
  ),

  found as (
    select s.code, jsonb_build_object('code', s.code) || s.facts as problem
    from seen as s
    where s.organisation_id is null
    union all
    select
      s.code,
      case s.code
        when 'expired_but_active' then
          jsonb_build_object(
            'code', s.code,
            'mentors', sum((s.facts ->> 'mentors')::bigint),
            'mentor_ids', jsonb_path_query_array(jsonb_agg(s.facts -> 'mentor_ids'), '$[*][*]')
          )
        else jsonb_build_object('code', s.code, 'waiting', sum((s.facts ->> 'waiting')::bigint))
      end
    from seen as s
    where s.organisation_id is not null
    group by s.code
  )

  select coalesce(jsonb_agg(f.problem order by f.code), '[]'::jsonb) into v_problems from found as f;
  return jsonb_build_object(
    'ok', v_problems = '[]'::jsonb,
    'checked_at', clock_timestamp(),
    'expired_but_active',
    coalesce(jsonb_path_query_first(v_problems, '$[*] ? (@.code == "expired_but_active").mentors'), to_jsonb(0)),
    'last_success_at',
    (
      select max(j.finished_at) from public.job_runs as j
      where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded'
    ),
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

-- What the watchdog does by the clock: looks, and writes down what is new and what is over, organisation by organisation. Their
-- admins find it in the inbox once when it begins and once when it is over. What concerns everybody counts for each organisation
-- that requires a certificate. For the service role.
--
-- Answers what certification_watchdog answers, and opened and cleared: [{organisation_id, code}].
create function peerpause.watch_certificates()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_opened uuid[];
  v_cleared uuid[];
begin
  perform pg_advisory_xact_lock(hashtextextended('peerpause.watchdog', 0));
  with concerned as materialized (
    select distinct o.id as organisation_id, w.code, w.facts - 'mentor_ids' as facts
    from peerpause.watchdog_problems() as w
    inner join public.organisations as o
      on o.id = w.organisation_id or (w.organisation_id is null and o.required_certification_kinds <> '{}')
  ),

  opened as (
    insert into public.watchdog_incidents (organisation_id, code, facts)
    select c.organisation_id, c.code, c.facts
    from concerned as c
    on conflict (organisation_id, code) where cleared_at is null do nothing
    returning id
  ),

  cleared as (
    update public.watchdog_incidents as i
    set cleared_at = clock_timestamp()
    where
      i.cleared_at is null
      and not exists (select from concerned as c where c.organisation_id = i.organisation_id and c.code = i.code)
    returning i.id
  )

  select array(select o.id from opened as o), array(select c.id from cleared as c)
  into v_opened, v_cleared;

  insert into public.notifications (organisation_id, recipient_id, incident_id, event, payload)
  select
    i.organisation_id, a.user_id, i.id, e.event,
    jsonb_build_object(
      'event', e.event,
      'code', i.code,
      'organisation_id', i.organisation_id,
      'incident_id', i.id,
      'opened_at', to_char(i.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
      'cleared_at', to_char(i.cleared_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
      'mentors', i.facts -> 'mentors'
    )
  from public.watchdog_incidents as i
  inner join public.organisation_admins as a on a.organisation_id = i.organisation_id and a.active
  cross join lateral (select case when i.cleared_at is null then 'watchdog_alert' else 'watchdog_clear' end as event) as e
  where i.id = any(v_opened || v_cleared)
  on conflict (incident_id, recipient_id, event) do nothing;

  return peerpause.certification_watchdog() || jsonb_build_object(
    'opened', peerpause.incidents_in_short(v_opened), 'cleared', peerpause.incidents_in_short(v_cleared)
  );
end
$$;

-- [{organisation_id, code}] of these incidents.
create function peerpause.incidents_in_short(p_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('organisation_id', i.organisation_id, 'code', i.code) order by i.id), '[]'::jsonb)
    from public.watchdog_incidents as i
    where i.id = any(p_ids)
  );
end
$$;

-- What was recorded of certificates stays: row by row, and also for a statement that would empty the table.
create trigger peerpause_append_only
before update or delete on public.certification_renewals
for each row
execute function peerpause.refuse_change_of_record();

create trigger peerpause_append_only_truncate
before truncate on public.certification_renewals
for each statement
execute function peerpause.refuse_change_of_record();

create trigger peerpause_append_only
before update or delete on public.certification_overrides
for each row
execute function peerpause.refuse_change_of_record();

create trigger peerpause_append_only_truncate
before truncate on public.certification_overrides
for each statement
execute function peerpause.refuse_change_of_record();

-- Read by the mentor, their coordinators and admins; written by a function.
create policy "people see the renewals they answer for and their own"
on public.certification_renewals for select to authenticated
using (
  mentor_id = any((select peerpause.my_mentors())::uuid[])
  or organisation_id = any((select peerpause.my_organisations())::uuid[])
  or exists (
    select from public.chapter_memberships as m
    where m.mentor_id = certification_renewals.mentor_id and m.chapter_id = any((select peerpause.my_chapters())::uuid[])
  )
);

grant select on public.certification_renewals to authenticated;
grant select, insert, update on public.certification_renewals to service_role;

-- Notices are for the outbox; people read what became of them in their inbox.
grant select, insert, update, delete on public.mentor_notices to service_role;

-- Admins see what was wrong in their organisation.
create policy "admins see the incidents of their organisation"
on public.watchdog_incidents for select to authenticated
using (
  organisation_id = any((select peerpause.my_organisations())::uuid[])
);

grant select on public.watchdog_incidents to authenticated;
grant select, insert, update, delete on public.watchdog_incidents to service_role;

-- Who may call the new functions. Closed first, because PostgreSQL opens new functions to everyone.
revoke all on function
peerpause.expired_certificates(uuid, text[], date, date, uuid, integer),
peerpause.lapsed_mentors_at(timestamptz),
peerpause.job_run_report(uuid),
peerpause.fail_job_run(uuid, text),
peerpause.begin_expiry_run(uuid[], interval),
peerpause.expire_batch(uuid, integer),
peerpause.pause_lapsed(uuid, uuid[], jsonb),
peerpause.refuse_change_of_record(),
peerpause.is_overtaken(public.mentor_notices),
peerpause.cancel_notices(uuid),
peerpause.expiring_certificates(uuid, integer),
peerpause.make_reminders(),
peerpause.return_on_date(),
peerpause.authorise_staff(uuid),
peerpause.record_renewal(uuid, date, date, text, text, text),
public.record_renewal(uuid, date, date, text, text, text),
peerpause.grant_certification_override(uuid, text, date, text),
public.grant_certification_override(uuid, text, date, text),
peerpause.last_due_run(timestamptz),
peerpause.watchdog_problems(),
peerpause.watch_certificates(),
peerpause.incidents_in_short(uuid[])
from public, anon, authenticated, service_role;

grant execute on function
peerpause.record_renewal(uuid, date, date, text, text, text),
public.record_renewal(uuid, date, date, text, text, text),
peerpause.grant_certification_override(uuid, text, date, text),
public.grant_certification_override(uuid, text, date, text)
to authenticated, service_role;

grant execute on function
peerpause.expired_certificates(uuid, text[], date, date, uuid, integer),
peerpause.lapsed_mentors_at(timestamptz),
peerpause.job_run_report(uuid),
peerpause.fail_job_run(uuid, text),
peerpause.begin_expiry_run(uuid[], interval),
peerpause.expire_batch(uuid, integer),
peerpause.pause_lapsed(uuid, uuid[], jsonb),
peerpause.is_overtaken(public.mentor_notices),
peerpause.cancel_notices(uuid),
peerpause.expiring_certificates(uuid, integer),
peerpause.make_reminders(),
peerpause.return_on_date(),
peerpause.last_due_run(timestamptz),
peerpause.watchdog_problems(),
peerpause.watch_certificates(),
peerpause.incidents_in_short(uuid[])
to service_role;
