-- The inbox: one entry for every (cause, recipient), whatever becomes of the push. The cause is a change of status (a history row),
-- a notice that no change caused, or an incident of the watchdog.
create table public.notifications (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  recipient_id uuid not null,
  mentor_id uuid,
  history_id uuid,
  event text not null,
  about_self boolean not null default false,
  payload jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  read_at timestamptz,
  acknowledged_at timestamptz,
  notice_id uuid,
  incident_id uuid,
  primary key (organisation_id, id),
  constraint notifications_history foreign key (organisation_id, history_id)
    references public.peer_mentor_status_history (organisation_id, id),
  constraint notifications_notice foreign key (organisation_id, notice_id) references public.mentor_notices (organisation_id, id),
  constraint notifications_incident foreign key (organisation_id, incident_id)
    references public.watchdog_incidents (organisation_id, id),
  constraint notifications_have_one_cause check (num_nonnulls(history_id, notice_id, incident_id) = 1),
  constraint notifications_name_the_mentor check ((mentor_id is null) = (incident_id is not null))
);

comment on table public.notifications is 'The inbox of coordinators and mentors. The recipient may set read_at and acknowledged_at, nothing else.';
comment on column public.notifications.payload is 'NotificationPayload as JSON: event, mentor, statuses, reason code, actor, time, return date, deep link. No note. AlertPayload for an incident.';
comment on column public.notifications.mentor_id is 'Null for an incident, which is about no one mentor.';

create unique index notifications_once on public.notifications (history_id, recipient_id);
create unique index notifications_once_per_notice on public.notifications (notice_id, recipient_id);
create unique index notifications_once_per_incident on public.notifications (incident_id, recipient_id, event);
create index notifications_inbox on public.notifications (recipient_id, created_at desc);
create index notifications_unread on public.notifications (recipient_id) where read_at is null;
create index notifications_history_idx on public.notifications (organisation_id, history_id);
create index notifications_notice_idx on public.notifications (organisation_id, notice_id) where notice_id is not null;
create index notifications_incident_idx on public.notifications (organisation_id, incident_id) where incident_id is not null;

alter table public.notifications enable row level security;
alter table public.notifications force row level security;
revoke all on table public.notifications from public, anon, authenticated, service_role;
