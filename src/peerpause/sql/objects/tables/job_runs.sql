-- One row for every run of a job, from its start to its end, so that a run that died or never came is seen.
create table public.job_runs (
  id uuid primary key default peerpause.time_ordered_uuid(),
  organisation_id uuid references public.organisations (id),
  job text not null,
  status text not null default 'running',
  started_by uuid,
  chapter_ids uuid[],
  started_at timestamptz not null default clock_timestamp(),
  heartbeat_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  queried bigint not null default 0,
  paused bigint not null default 0,
  skipped bigint not null default 0,
  errors bigint not null default 0,
  failures jsonb not null default '[]',
  error_code text,
  visited bigint not null default 0,
  expected bigint not null default 0,
  reached_organisation_id uuid,
  reached_day date,
  reached_certification_id uuid,
  tally jsonb not null default '{}',
  constraint job_runs_job_is_known check (job in ('certification_expiry', 'certification_watchdog', 'retention')),
  constraint job_runs_status_is_known check (status in ('running', 'succeeded', 'failed')),
  constraint job_runs_end_with_a_time check ((status = 'running') = (finished_at is null)),
  constraint job_runs_fail_for_a_reason check ((status = 'failed') = (error_code is not null))
);

comment on table public.job_runs is 'Runs of the certificate check, its watchdog and retention, with their counts.';
comment on column public.job_runs.organisation_id is 'Null for the nightly run over all organisations.';
comment on column public.job_runs.started_by is 'The person who started it by hand; null means the schedule.';
comment on column public.job_runs.chapter_ids is 'The chapters a run by hand was limited to; null means all.';
comment on column public.job_runs.heartbeat_at is 'Moved by every batch; a running row whose heartbeat stopped has died.';
comment on column public.job_runs.failures is 'Mentors that could not be processed: [{"mentor_id", "sqlstate"}], at most 1000.';
comment on column public.job_runs.error_code is 'Why a run failed: a SQLSTATE, an error''s code, or lease_expired where it fell silent.';
comment on column public.job_runs.visited is 'Expired certificates looked at so far, of the number expected at the start.';
comment on column public.job_runs.reached_certification_id is
  'The last certificate looked at, in order of organisation, last valid day and id: from here the next batch goes on.';

comment on column public.job_runs.tally is 'What a run of retention let go of, by kind.';

create index job_runs_latest on public.job_runs (job, started_at desc);
create unique index job_runs_one_at_a_time on public.job_runs (job) where status = 'running';
create index job_runs_organisation on public.job_runs (organisation_id);

alter table public.job_runs enable row level security;
alter table public.job_runs force row level security;
revoke all on table public.job_runs from public, anon, authenticated, service_role;
