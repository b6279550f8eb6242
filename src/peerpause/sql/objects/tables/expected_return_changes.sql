-- One row for every time the expected return of a running pause was changed. Append-only. It stands beside the history and not in it,
-- because the history holds changes of the status and this is none.
create table public.expected_return_changes (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  previous_return_on date,
  expected_return_on date,
  changed_by uuid,
  changed_at timestamptz not null,
  primary key (organisation_id, id),
  constraint expected_return_changes_mentor foreign key (organisation_id, mentor_id)
    references public.peer_mentors (organisation_id, id),
  constraint expected_return_changes_change_something check (expected_return_on is distinct from previous_return_on)
);

comment on table public.expected_return_changes is 'Append-only: who moved the expected return of a running pause, and when.';
comment on column public.expected_return_changes.previous_return_on is 'The day that was expected until then; null where none was.';
comment on column public.expected_return_changes.expected_return_on is 'The day expected from then on; null for a pause without an end in sight.';
comment on column public.expected_return_changes.changed_by is 'The person who did it; null means the system.';
comment on column public.expected_return_changes.changed_at is 'Equals the mentor row''s updated_at after the change.';

create index expected_return_changes_mentor_idx on public.expected_return_changes (mentor_id, changed_at desc);

alter table public.expected_return_changes enable row level security;
alter table public.expected_return_changes force row level security;
revoke all on table public.expected_return_changes from public, anon, authenticated, service_role;
