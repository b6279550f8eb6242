-- The audit trail that is also the outbox, and the tables around it: planned pauses, kept answers, runs of jobs, the delivery log
-- and the inbox. All new; no table of the app is touched but for the foreign keys that point at it.

-- The mentors who were here before, held to the truths of the status columns, now that the lock of the last migration is gone.
alter table public.peer_mentors validate constraint peer_mentors_paused_since;
alter table public.peer_mentors validate constraint peer_mentors_pause_facts_only_while_paused;
alter table public.peer_mentors validate constraint peer_mentors_paused_for_a_reason;
alter table public.peer_mentors validate constraint peer_mentors_note_is_short;

-- A version 7 uuid (RFC 9562): the milliseconds come first, so that later rows sort after earlier ones, indexes grow at one end and
-- ids serve as cursors. PostgreSQL has uuidv7() of its own from 18 on; this one serves 15 too.
-- One expression and nothing around it: it stands in the default of every table that a change of status writes to. Pinning the
-- search_path keeps the planner from inlining it, which costs under a microsecond a row.
create function peerpause.time_ordered_uuid()
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

-- The state machine: three legal moves and no others. Staying put is not a move.
-- The same three pairs stand in peerpause.status.rules; a test compares them.
create function peerpause.is_valid_transition(p_from public.mentor_status, p_to public.mentor_status)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (p_from, p_to) in (('active', 'paused'), ('paused', 'active'), ('active', 'inactive'));
end
$$;

-- Why a status may change. Organisations edit the labels, never the codes.
-- The same list stands in peerpause.status.rules; a test compares them.
create function peerpause.reason_codes()
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

-- Codes that only the system gives, because rules depend on them.
create function peerpause.system_reason_codes()
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

-- The moment that dates are counted from. Tests replace it to move the clock; nothing else does.
create function peerpause.clock()
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

-- Today's date where the organisation is.
create function peerpause.today(p_time_zone text)
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

-- One row for every change of a mentor's status, written by a trigger in the same transaction. Append-only: it is the audit
-- trail, and it is the outbox: whatever follows from a change (inbox, push, webhook) is derived from its row afterwards.
create table public.peer_mentor_status_history (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  previous_status public.mentor_status,
  new_status public.mentor_status not null,
  changed_by uuid,
  changed_at timestamptz not null,
  reason text,
  note text,
  expected_return_on date,
  certification_expires_at date,
  job_run_id uuid,
  told_at timestamptz,
  primary key (organisation_id, id),
  constraint history_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint history_is_a_legal_move check (
    previous_status is null or peerpause.is_valid_transition(previous_status, new_status)
  ),
  constraint history_gives_a_reason check (previous_status is null or new_status = 'active' or reason is not null),
  constraint history_note_is_short check (char_length(note) <= 2000)
);

comment on table public.peer_mentor_status_history is 'Append-only audit of status changes, and the outbox of everything that follows from them.';
comment on column public.peer_mentor_status_history.previous_status is 'Null for the row that records how a new mentor started.';
comment on column public.peer_mentor_status_history.changed_by is 'The person who did it; null means the system.';
comment on column public.peer_mentor_status_history.changed_at is 'The server''s clock; equals the mentor row''s updated_at after the change.';
comment on column public.peer_mentor_status_history.certification_expires_at is 'Last valid day of the certificate that lapsed, where a lapse caused the change.';
comment on column public.peer_mentor_status_history.told_at is
  'When the outbox turned this row into deliveries; the only column that may ever be set, once.';

create unique index history_by_mentor on public.peer_mentor_status_history (mentor_id, changed_at);
create index history_untold on public.peer_mentor_status_history (id) where told_at is null;

alter table public.peer_mentor_status_history enable row level security;
alter table public.peer_mentor_status_history force row level security;
revoke all on table public.peer_mentor_status_history from public, anon, authenticated, service_role;

-- A pause that starts later. Applied within a minute of its time, exactly once, after a fresh look at the mentor.
create table public.scheduled_status_changes (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  new_status public.mentor_status not null default 'paused',
  effective_at timestamptz not null,
  reason text not null,
  note text,
  expected_return_on date,
  requested_by uuid,
  requested_at timestamptz not null default now(),
  settled_at timestamptz,
  settled_by uuid,
  outcome text,
  primary key (organisation_id, id),
  constraint scheduled_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint scheduled_is_a_pause check (new_status = 'paused'),
  constraint scheduled_outcome_is_known check (outcome in ('applied', 'cancelled', 'superseded', 'skipped')),
  constraint scheduled_is_settled_with_an_outcome check ((settled_at is null) = (outcome is null)),
  constraint scheduled_note_is_short check (char_length(note) <= 2000)
);

comment on table public.scheduled_status_changes is 'Pauses that begin at a later moment; one open row a mentor at most.';
comment on column public.scheduled_status_changes.effective_at is 'When the pause shall begin.';
comment on column public.scheduled_status_changes.outcome is
  'applied; cancelled by a person; superseded by a later request; skipped because the mentor was no longer active.';

create unique index scheduled_one_open_per_mentor on public.scheduled_status_changes (mentor_id) where settled_at is null;
create index scheduled_due on public.scheduled_status_changes (effective_at) where settled_at is null;
create index scheduled_by_mentor on public.scheduled_status_changes (organisation_id, mentor_id);

alter table public.scheduled_status_changes enable row level security;
alter table public.scheduled_status_changes force row level security;
revoke all on table public.scheduled_status_changes from public, anon, authenticated, service_role;

-- The first answer to a request that carried a key, written in the transaction of the change itself.
create table public.idempotency_keys (
  caller uuid not null,
  key text not null,
  organisation_id uuid not null references public.organisations (id),
  request text not null,
  fingerprint text not null,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (caller, key),
  constraint idempotency_key_is_short check (char_length(key) between 1 and 255)
);

comment on table public.idempotency_keys is 'Same key and same arguments give the first answer again; kept for a day.';
comment on column public.idempotency_keys.caller is 'The signed-in person; the nil uuid for the service role.';
comment on column public.idempotency_keys.request is 'The function that was called.';
comment on column public.idempotency_keys.fingerprint is 'SHA-256 of the arguments, so that no note is kept here.';
comment on column public.idempotency_keys.response is 'What the first call answered; null where it found a conflict and changed nothing.';

create index idempotency_keys_age on public.idempotency_keys (created_at);
create index idempotency_keys_organisation on public.idempotency_keys (organisation_id);

alter table public.idempotency_keys enable row level security;
alter table public.idempotency_keys force row level security;
revoke all on table public.idempotency_keys from public, anon, authenticated, service_role;

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
  constraint job_runs_job_is_known check (job in ('certification_expiry', 'certification_watchdog')),
  constraint job_runs_status_is_known check (status in ('running', 'succeeded', 'failed')),
  constraint job_runs_end_with_a_time check ((status = 'running') = (finished_at is null))
);

comment on table public.job_runs is 'Runs of the certificate check and its watchdog, with their counts.';
comment on column public.job_runs.organisation_id is 'Null for the nightly run over all organisations.';
comment on column public.job_runs.started_by is 'The person who started it by hand; null means the schedule.';
comment on column public.job_runs.chapter_ids is 'The chapters a run by hand was limited to; null means all.';
comment on column public.job_runs.heartbeat_at is 'Moved by every batch; a running row whose heartbeat stopped has died.';
comment on column public.job_runs.failures is 'Mentors that could not be processed: [{"mentor_id", "sqlstate"}], at most 1000.';

create index job_runs_latest on public.job_runs (job, started_at desc);
create index job_runs_organisation on public.job_runs (organisation_id);

alter table public.job_runs enable row level security;
alter table public.job_runs force row level security;
revoke all on table public.job_runs from public, anon, authenticated, service_role;

-- An admin lets a mentor be active although a required certificate has expired: until a day, with a justification.
create table public.certification_overrides (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  justification text not null,
  valid_until date not null,
  granted_by uuid,
  granted_at timestamptz not null default now(),
  primary key (organisation_id, id),
  constraint overrides_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint overrides_are_justified check (char_length(btrim(justification)) between 10 and 2000)
);

comment on table public.certification_overrides is 'Append-only: who let whom be active without a valid certificate, why, and until when.';
comment on column public.certification_overrides.valid_until is 'The last day it holds, in the organisation''s time zone. The night''s run honours it.';

create index overrides_mentor_idx on public.certification_overrides (mentor_id, valid_until desc);
create index overrides_organisation on public.certification_overrides (organisation_id, mentor_id);

alter table public.certification_overrides enable row level security;
alter table public.certification_overrides force row level security;
revoke all on table public.certification_overrides from public, anon, authenticated, service_role;

-- One row for every (history row, recipient, channel): what must reach whom, and how that went.
create table public.notification_deliveries (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  history_id uuid not null,
  mentor_id uuid not null,
  recipient_id uuid not null,
  channel text not null,
  event text not null,
  about_self boolean not null default false,
  state text not null default 'pending',
  outcome text,
  error_code text,
  attempts integer not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null,
  not_before timestamptz not null default clock_timestamp(),
  job_run_id uuid,
  summary_id uuid,
  first_tried_at timestamptz,
  settled_at timestamptz,
  reference text,
  primary key (organisation_id, id),
  constraint deliveries_history foreign key (organisation_id, history_id)
    references public.peer_mentor_status_history (organisation_id, id),
  constraint deliveries_channel_is_known check (channel in ('push', 'email', 'webhook')),
  constraint deliveries_state_is_known check (state in ('pending', 'sent', 'skipped', 'failed', 'expired')),
  constraint deliveries_are_settled_with_a_time check ((state = 'pending') = (settled_at is null)),
  constraint deliveries_outcome_is_known check (
    outcome in ('sent', 'no_token', 'failed_after_retries', 'token_retired', 'not_configured', 'opted_out')
  )
);

comment on table public.notification_deliveries is 'The delivery log, and the work list of the sender. Never holds a token, a note or a name.';
comment on column public.notification_deliveries.about_self is 'True where the recipient is the mentor.';
comment on column public.notification_deliveries.changed_at is 'When the change was made: from here the time to the phone is counted.';
comment on column public.notification_deliveries.state is
  'sent: taken by the other side; skipped: nothing to try (no device, opted out, push not set up); failed: will never work; expired: given up after an hour.';
comment on column public.notification_deliveries.attempts is 'How many calls were made; one call makes up to three attempts.';
comment on column public.notification_deliveries.not_before is
  'When it is due. Quiet hours and the pause before the next try move it on; so does a sender that takes it, and if the sender dies it is due again.';
comment on column public.notification_deliveries.job_run_id is 'The run that caused the change: its pushes are summed up for each recipient.';
comment on column public.notification_deliveries.summary_id is 'Deliveries with the same summary went out, or will, as one push.';
comment on column public.notification_deliveries.reference is 'The other side''s id for the message.';

create unique index deliveries_once on public.notification_deliveries (history_id, recipient_id, channel);
create index deliveries_due on public.notification_deliveries (not_before) where state = 'pending';
create index deliveries_waiting on public.notification_deliveries (recipient_id) where state = 'pending';
create index deliveries_history_idx on public.notification_deliveries (organisation_id, history_id);
create index deliveries_recipient on public.notification_deliveries (recipient_id, created_at desc);
create index deliveries_recently_sent on public.notification_deliveries (recipient_id, settled_at) where state = 'sent' and channel = 'push';

alter table public.notification_deliveries enable row level security;
alter table public.notification_deliveries force row level security;
revoke all on table public.notification_deliveries from public, anon, authenticated, service_role;

-- The inbox: one entry for every (history row, recipient), whatever becomes of the push.
create table public.notifications (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  recipient_id uuid not null,
  mentor_id uuid not null,
  history_id uuid not null,
  event text not null,
  about_self boolean not null default false,
  payload jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  read_at timestamptz,
  acknowledged_at timestamptz,
  primary key (organisation_id, id),
  constraint notifications_history foreign key (organisation_id, history_id)
    references public.peer_mentor_status_history (organisation_id, id)
);

comment on table public.notifications is 'The inbox of coordinators and mentors. The recipient may set read_at and acknowledged_at, nothing else.';
comment on column public.notifications.payload is 'NotificationPayload as JSON: event, mentor, statuses, reason code, actor, time, return date, deep link. No note.';

create unique index notifications_once on public.notifications (history_id, recipient_id);
create index notifications_inbox on public.notifications (recipient_id, created_at desc);
create index notifications_unread on public.notifications (recipient_id) where read_at is null;
create index notifications_history_idx on public.notifications (organisation_id, history_id);

alter table public.notifications enable row level security;
alter table public.notifications force row level security;
revoke all on table public.notifications from public, anon, authenticated, service_role;

-- Where an organisation's own website wants to hear of changes to its public roster.
create table public.webhook_endpoints (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  url text not null,
  secret text not null,
  active boolean not null default true,
  created_by uuid,
  created_at timestamptz not null default now(),
  constraint webhook_endpoints_use_https check (url like 'https://%')
);

comment on table public.webhook_endpoints is 'Signed webhooks. The secret is for the service role alone; admins manage endpoints without reading it.';

create index webhook_endpoints_organisation on public.webhook_endpoints (organisation_id);

alter table public.webhook_endpoints enable row level security;
alter table public.webhook_endpoints force row level security;
revoke all on table public.webhook_endpoints from public, anon, authenticated, service_role;
