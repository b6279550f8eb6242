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
  leased_until timestamptz,
  first_tried_at timestamptz,
  settled_at timestamptz,
  reference text,
  primary key (organisation_id, id),
  constraint deliveries_history foreign key (organisation_id, history_id)
    references public.peer_mentor_status_history (organisation_id, id),
  constraint deliveries_channel_is_known check (channel in ('push', 'email', 'webhook')),
  constraint deliveries_state_is_known check (state in ('pending', 'sent', 'failed', 'expired', 'summarised')),
  constraint deliveries_are_settled_with_a_time check ((state = 'pending') = (settled_at is null)),
  constraint deliveries_outcome_is_known check (
    outcome in ('sent', 'no_token', 'failed_after_retries', 'token_retired', 'not_configured', 'opted_out')
  )
);

comment on table public.notification_deliveries is 'The delivery log, and the work list of the sender. Never holds a token, a note or a name.';
comment on column public.notification_deliveries.about_self is 'True where the recipient is the mentor.';
comment on column public.notification_deliveries.changed_at is 'When the change was made: from here the time to the phone is counted.';
comment on column public.notification_deliveries.not_before is 'Quiet hours and the pause before the next try both move it.';
comment on column public.notification_deliveries.leased_until is 'A sender has taken it until then; if the sender dies, another takes it afterwards.';
comment on column public.notification_deliveries.reference is 'The other side''s id for the message.';

create unique index deliveries_once on public.notification_deliveries (history_id, recipient_id, channel);
create index deliveries_due on public.notification_deliveries (not_before) where state = 'pending';
create index deliveries_history_idx on public.notification_deliveries (organisation_id, history_id);
create index deliveries_recipient on public.notification_deliveries (recipient_id, created_at desc);

alter table public.notification_deliveries enable row level security;
alter table public.notification_deliveries force row level security;
