-- The status of a mentor, as columns of the mentor's own row.
--
-- Additive: every column is nullable or has a constant default, so PostgreSQL adds them without rewriting the table, and clients
-- that `select *` see more columns but lose none. Existing mentors are active. Takes an ACCESS EXCLUSIVE lock for milliseconds;
-- the two validations afterwards read the table once and let readers and writers go on.

create type public.mentor_status as enum ('active', 'paused', 'inactive');

alter table public.peer_mentors
  add column status public.mentor_status not null default 'active',
  add column pause_at timestamptz,
  add column pause_reason text,
  add column pause_note text,
  add column expected_return_on date,
  add column reactivated_at timestamptz,
  add column if not exists updated_at timestamptz not null default now();

comment on column public.peer_mentors.status is 'Changed only along active→paused, paused→active, active→inactive; every change leaves a history row.';
comment on column public.peer_mentors.pause_at is 'Since when the mentor is paused; null unless paused.';
comment on column public.peer_mentors.pause_reason is 'Code from peerpause.reason_codes(); null unless paused.';
comment on column public.peer_mentors.pause_note is 'Free text that may hold health data: for the mentor, their coordinators and admins only.';
comment on column public.peer_mentors.expected_return_on is 'The day the mentor expects to be back, in the organisation''s time zone; null unless paused.';
comment on column public.peer_mentors.reactivated_at is 'When the mentor last came back from a pause.';
comment on column public.peer_mentors.updated_at is 'Strictly increases with every update of the row: the optimistic-lock token.';

alter table public.peer_mentors
  add constraint peer_mentors_paused_since check ((status = 'paused') = (pause_at is not null)) not valid,
  add constraint peer_mentors_pause_facts_only_while_paused check (
    status = 'paused' or (pause_reason is null and pause_note is null and expected_return_on is null)
  ) not valid,
  add constraint peer_mentors_paused_for_a_reason check (status <> 'paused' or pause_reason is not null) not valid,
  add constraint peer_mentors_note_is_short check (char_length(pause_note) <= 2000) not valid;
alter table public.peer_mentors validate constraint peer_mentors_paused_since;
alter table public.peer_mentors validate constraint peer_mentors_pause_facts_only_while_paused;
alter table public.peer_mentors validate constraint peer_mentors_paused_for_a_reason;
alter table public.peer_mentors validate constraint peer_mentors_note_is_short;
