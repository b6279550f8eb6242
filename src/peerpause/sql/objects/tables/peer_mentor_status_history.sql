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
create index history_notes on public.peer_mentor_status_history (organisation_id, changed_at) where note is not null;
create index history_untold on public.peer_mentor_status_history (id) where told_at is null;

alter table public.peer_mentor_status_history enable row level security;
alter table public.peer_mentor_status_history force row level security;
revoke all on table public.peer_mentor_status_history from public, anon, authenticated, service_role;
