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
