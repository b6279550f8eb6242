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
