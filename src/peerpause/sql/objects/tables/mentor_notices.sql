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
