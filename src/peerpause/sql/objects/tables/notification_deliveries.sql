-- One row for every (history row or notice, recipient, channel): what must reach whom, and how that went.
create table public.notification_deliveries (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  history_id uuid,
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
  notice_id uuid,
  primary key (organisation_id, id),
  constraint deliveries_history foreign key (organisation_id, history_id)
    references public.peer_mentor_status_history (organisation_id, id),
  constraint deliveries_notice foreign key (organisation_id, notice_id) references public.mentor_notices (organisation_id, id),
  constraint deliveries_have_one_cause check (num_nonnulls(history_id, notice_id) = 1),
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
create unique index deliveries_once_per_notice on public.notification_deliveries (notice_id, recipient_id, channel);
create index deliveries_due on public.notification_deliveries (not_before) where state = 'pending';
create index deliveries_waiting on public.notification_deliveries (recipient_id) where state = 'pending';
create index deliveries_history_idx on public.notification_deliveries (organisation_id, history_id);
create index deliveries_notice_idx on public.notification_deliveries (organisation_id, notice_id) where notice_id is not null;
create index deliveries_recipient on public.notification_deliveries (recipient_id, created_at desc);
create index deliveries_recently_sent on public.notification_deliveries (recipient_id, settled_at) where state = 'sent' and channel = 'push';

alter table public.notification_deliveries enable row level security;
alter table public.notification_deliveries force row level security;
revoke all on table public.notification_deliveries from public, anon, authenticated, service_role;
