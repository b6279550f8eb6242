-- How long an organisation keeps notes, deliveries, inboxes, runs and the read log, and the run that lets go of what is older.

-- How long an organisation keeps what it need not keep for good. Without a row the defaults of the columns hold.
create table peerpause.retention_rules (
  organisation_id uuid primary key references public.organisations (id),
  notes_months integer not null default 24,
  deliveries_days integer not null default 180,
  inbox_days integer not null default 365,
  runs_days integer not null default 730,
  reads_days integer not null default 730,
  changed_at timestamptz not null default clock_timestamp(),
  constraint retention_notes_in_bounds check (notes_months between 1 and 120),
  constraint retention_deliveries_in_bounds check (deliveries_days between 7 and 3650),
  constraint retention_inbox_in_bounds check (inbox_days between 30 and 3650),
  constraint retention_runs_in_bounds check (runs_days between 30 and 3650),
  constraint retention_reads_in_bounds check (reads_days between 90 and 3650)
);

comment on table peerpause.retention_rules is 'How long an organisation keeps notes, deliveries, inbox, runs and the read log. What changed and when is kept for good.';
comment on column peerpause.retention_rules.notes_months is 'Months after the change or renewal; the note of a pause that still lasts stays.';
comment on column peerpause.retention_rules.deliveries_days is 'Days after a delivery was settled; told notices go with them.';
comment on column peerpause.retention_rules.inbox_days is 'Days after an entry came, read or not.';
comment on column peerpause.retention_rules.runs_days is 'Days after a run of a job ended, or an incident was over.';

alter table peerpause.retention_rules enable row level security;
alter table peerpause.retention_rules force row level security;
revoke all on table peerpause.retention_rules from public, anon, authenticated, service_role;

alter table public.job_runs add column tally jsonb not null default '{}';

comment on table public.job_runs is 'Runs of the certificate check, its watchdog and retention, with their counts.';
comment on column public.job_runs.tally is 'What a run of retention let go of, by kind.';

-- squawk-ignore ban-drop-constraint -- a wider one stands in its place at once
alter table public.job_runs drop constraint job_runs_job_is_known;
alter table public.job_runs
  add constraint job_runs_job_is_known check (job in ('certification_expiry', 'certification_watchdog', 'retention')) not valid;
-- squawk-ignore constraint-missing-not-valid -- a few rows a night: validated at once
alter table public.job_runs validate constraint job_runs_job_is_known;

create index history_notes on public.peer_mentor_status_history (organisation_id, changed_at) where note is not null;

-- How long an organisation keeps what it need not keep for good, for its admins; is_default tells that it has decided nothing.
-- 42501: not an admin of the organisation.
create function peerpause.get_retention(p_organisation_id uuid)
returns table (
  notes_months integer,
  deliveries_days integer,
  inbox_days integer,
  runs_days integer,
  reads_days integer,
  is_default boolean
)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  return query
  select
    coalesce(r.notes_months, 24), coalesce(r.deliveries_days, 180), coalesce(r.inbox_days, 365), coalesce(r.runs_days, 730),
    coalesce(r.reads_days, 730), r.organisation_id is null
  from (values (p_organisation_id)) as o (id)
  left join peerpause.retention_rules as r on r.organisation_id = o.id;
end
$$;

create function public.get_retention(p_organisation_id uuid)
returns table (
  notes_months integer,
  deliveries_days integer,
  inbox_days integer,
  runs_days integer,
  reads_days integer,
  is_default boolean
)
language plpgsql
stable
security invoker
rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select r.* from peerpause.get_retention(p_organisation_id) as r;
end
$$;

-- Decides how long an organisation keeps things: all values at once. The next nightly run goes by them.
-- 42501: not an admin of the organisation. 22023: a time out of its bounds.
create function peerpause.set_retention(
  p_organisation_id uuid,
  p_notes_months integer,
  p_deliveries_days integer,
  p_inbox_days integer,
  p_runs_days integer,
  p_reads_days integer
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  if
    coalesce(p_notes_months, 0) not between 1 and 120
    or coalesce(p_deliveries_days, 0) not between 7 and 3650
    or coalesce(p_inbox_days, 0) not between 30 and 3650
    or coalesce(p_runs_days, 0) not between 30 and 3650
    or coalesce(p_reads_days, 0) not between 90 and 3650
  then
    raise exception 'a time is out of its bounds'
      using
        errcode = '22023',
        hint = 'Notes 1 to 120 months; deliveries 7, inbox and runs 30, the read log 90 days or more, each 3650 days at most.';
  end if;
  insert into peerpause.retention_rules (organisation_id, notes_months, deliveries_days, inbox_days, runs_days, reads_days)
  values (p_organisation_id, p_notes_months, p_deliveries_days, p_inbox_days, p_runs_days, p_reads_days)
  on conflict (organisation_id) do update
  set
    notes_months = excluded.notes_months,
    deliveries_days = excluded.deliveries_days,
    inbox_days = excluded.inbox_days,
    runs_days = excluded.runs_days,
    reads_days = excluded.reads_days,
    changed_at = excluded.changed_at;
end
$$;

create function public.set_retention(
  p_organisation_id uuid,
  p_notes_months integer,
  p_deliveries_days integer,
  p_inbox_days integer,
  p_runs_days integer,
  p_reads_days integer
)
returns void
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.set_retention(p_organisation_id, p_notes_months, p_deliveries_days, p_inbox_days, p_runs_days, p_reads_days);
end
$$;

-- Lets go of what one organisation has kept long enough, at most p_limit of each kind (null: all), or with p_apply false only counts
-- it. Answers {notes, planned_notes, deliveries, inbox, notices, runs, incidents, reads}, without those of which there are none.
-- Notes leave the history by the audit chain (peerpause.clear_notes). Locks what it lets go, and the end of the organisation's chain.
create function peerpause.retain(p_organisation_id uuid, p_limit integer, p_apply boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_rules record;
  v_notes uuid[];
  v_planned uuid[];
  v_deliveries uuid[];
  v_inbox uuid[];
  v_notices uuid[];
  v_runs uuid[];
  v_incidents uuid[];
  v_reads bigint;
begin
  select r.* into v_rules from peerpause.get_retention(p_organisation_id) as r;
  v_notes := array(
    select h.id
    from public.peer_mentor_status_history as h
    where
      h.organisation_id = p_organisation_id
      and h.note is not null
      and h.changed_at < v_now - make_interval(months => v_rules.notes_months)
      and not exists (
        select from public.peer_mentors as p
        where p.id = h.mentor_id and p.status = 'paused' and p.pause_note is not null and h.new_status = 'paused'
        and not exists (
          select from public.peer_mentor_status_history as later where later.mentor_id = h.mentor_id and later.changed_at > h.changed_at
        )
      )
    union all
    select r.id
    from public.certification_renewals as r
    where
      r.organisation_id = p_organisation_id
      and r.note is not null
      and r.recorded_at < v_now - make_interval(months => v_rules.notes_months)
    limit p_limit
  );
  v_planned := array(
    select s.id
    from public.scheduled_status_changes as s
    where
      s.organisation_id = p_organisation_id
      and s.note is not null
      and s.settled_at < v_now - make_interval(months => v_rules.notes_months)
    limit p_limit
  );
  v_deliveries := array(
    select d.id
    from public.notification_deliveries as d
    where
      d.organisation_id = p_organisation_id
      and d.state <> 'pending'
      and d.settled_at < v_now - make_interval(days => v_rules.deliveries_days)
    limit p_limit
  );
  v_inbox := array(
    select n.id
    from public.notifications as n
    where n.organisation_id = p_organisation_id and n.created_at < v_now - make_interval(days => v_rules.inbox_days)
    limit p_limit
  );
  v_notices := array(
    select n.id
    from public.mentor_notices as n
    where
      n.organisation_id = p_organisation_id
      and coalesce(n.told_at, n.cancelled_at) < v_now - make_interval(days => v_rules.deliveries_days)
      and not exists (
        select from public.notification_deliveries as d where d.organisation_id = n.organisation_id and d.notice_id = n.id
      )
      and not exists (select from public.notifications as i where i.organisation_id = n.organisation_id and i.notice_id = n.id)
    limit p_limit
  );
  v_runs := array(
    select j.id
    from public.job_runs as j
    where j.organisation_id = p_organisation_id and j.finished_at < v_now - make_interval(days => v_rules.runs_days)
    limit p_limit
  );
  v_incidents := array(
    select w.id
    from public.watchdog_incidents as w
    where
      w.organisation_id = p_organisation_id
      and w.cleared_at < v_now - make_interval(days => v_rules.runs_days)
      and not exists (select from public.notifications as i where i.organisation_id = w.organisation_id and i.incident_id = w.id)
    limit p_limit
  );
  if p_apply then
    perform peerpause.clear_notes(p_organisation_id, v_notes, 'retention');
    update public.scheduled_status_changes as s
    set note = null
    where s.organisation_id = p_organisation_id and s.id = any(v_planned);
    delete from public.notification_deliveries as d where d.organisation_id = p_organisation_id and d.id = any(v_deliveries);
    delete from public.notifications as n where n.organisation_id = p_organisation_id and n.id = any(v_inbox);
    delete from public.mentor_notices as n where n.organisation_id = p_organisation_id and n.id = any(v_notices);
    delete from public.job_runs as j where j.id = any(v_runs);
    delete from public.watchdog_incidents as w where w.organisation_id = p_organisation_id and w.id = any(v_incidents);
    delete from peerpause.mentor_reads as r
    where r.organisation_id = p_organisation_id and r.hour < v_now - make_interval(days => v_rules.reads_days);
    get diagnostics v_reads = row_count;
  else
    select count(*)
    into v_reads
    from peerpause.mentor_reads as r
    where r.organisation_id = p_organisation_id and r.hour < v_now - make_interval(days => v_rules.reads_days);
  end if;
  return peerpause.summed(
    jsonb_build_object(
      'notes', cardinality(v_notes),
      'planned_notes', cardinality(v_planned),
      'deliveries', cardinality(v_deliveries),
      'inbox', cardinality(v_inbox),
      'notices', cardinality(v_notices),
      'runs', cardinality(v_runs),
      'incidents', cardinality(v_incidents),
      'reads', v_reads
    ),
    '{}'
  );
end
$$;

-- Lets go of what belongs to no one organisation: runs over all of them after two years, and devices that were given up, or not seen
-- for 270 days (Google's own limit). Answers {runs, devices}, without those of which there are none.
create function peerpause.retain_shared(p_apply boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := peerpause.clock();
  v_runs uuid[];
  v_devices text[];
begin
  v_runs := array(
    select j.id from public.job_runs as j where j.organisation_id is null and j.finished_at < v_now - interval '730 days'
  );
  v_devices := array(
    select d.token from public.device_tokens as d where coalesce(d.retired_at, d.last_seen_at) < v_now - interval '270 days'
  );
  if p_apply then
    delete from public.job_runs as j where j.id = any(v_runs);
    delete from public.device_tokens as d where d.token = any(v_devices);
  end if;
  return peerpause.summed(jsonb_build_object('runs', cardinality(v_runs), 'devices', cardinality(v_devices)), '{}');
end
$$;

-- Opens a run of retention for one organisation, or with null for what belongs to none. Null: another run is at it. A run that has
-- been silent for ten minutes died with its process and is closed as failed.
create function peerpause.begin_retention_run(p_organisation_id uuid)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id uuid;
begin
  update public.job_runs as j
  set status = 'failed', finished_at = clock_timestamp(), error_code = 'lease_expired'
  where j.job = 'retention' and j.status = 'running' and j.heartbeat_at < clock_timestamp() - interval '10 minutes';
  insert into public.job_runs (job, organisation_id)
  values ('retention', p_organisation_id)
  on conflict (job) where status = 'running' do nothing
  returning id into v_run_id;
  return v_run_id;
end
$$;

-- One step of a run: lets go of at most p_limit of each kind, adds that to the run's tally, and answers it; {} when there is no more.
create function peerpause.retain_batch(p_run_id uuid, p_limit integer)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id uuid;
  v_counts jsonb;
begin
  select j.organisation_id into v_organisation_id from public.job_runs as j where j.id = p_run_id and j.status = 'running' for update;
  if not found then
    raise exception 'this run is not running' using errcode = '22023', hint = 'Begin another one.';
  end if;
  if v_organisation_id is null then
    v_counts := peerpause.retain_shared(true);
  else
    v_counts := peerpause.retain(v_organisation_id, p_limit, true);
  end if;
  update public.job_runs as j
  set heartbeat_at = clock_timestamp(), tally = peerpause.summed(j.tally, v_counts)
  where j.id = p_run_id;
  return v_counts;
end
$$;

-- Retention: admins decide for their organisation, the worker carries it out.
revoke all on function
peerpause.get_retention(uuid),
peerpause.set_retention(uuid, integer, integer, integer, integer, integer),
peerpause.retain(uuid, integer, boolean),
peerpause.retain_shared(boolean),
peerpause.begin_retention_run(uuid),
peerpause.retain_batch(uuid, integer),
public.get_retention(uuid),
public.set_retention(uuid, integer, integer, integer, integer, integer)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.get_retention(uuid),
peerpause.set_retention(uuid, integer, integer, integer, integer, integer),
public.get_retention(uuid),
public.set_retention(uuid, integer, integer, integer, integer, integer)
to authenticated, service_role;

grant execute on function
peerpause.retain(uuid, integer, boolean),
peerpause.retain_shared(boolean),
peerpause.begin_retention_run(uuid),
peerpause.retain_batch(uuid, integer)
to service_role;
