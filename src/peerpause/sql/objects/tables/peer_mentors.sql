-- Mentors, each with the status that everything here is about. One row for each person and organisation they serve.
create table public.peer_mentors (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  user_id uuid,
  display_name text not null,
  first_name text not null,
  external_id text,
  predecessor_id uuid,
  listed boolean not null default true,
  languages text[] not null default '{}',
  presentation text,
  public_contact text,
  status public.mentor_status not null default 'active',
  pause_at timestamptz,
  pause_reason text,
  pause_note text,
  expected_return_on date,
  reactivated_at timestamptz,
  updated_at timestamptz not null default now(),
  constraint peer_mentors_paused_since check ((status = 'paused') = (pause_at is not null)),
  constraint peer_mentors_pause_facts_only_while_paused check (
    status = 'paused' or (pause_reason is null and pause_note is null and expected_return_on is null)
  ),
  constraint peer_mentors_paused_for_a_reason check (status <> 'paused' or pause_reason is not null),
  constraint peer_mentors_note_is_short check (char_length(pause_note) <= 2000)
);

comment on table public.peer_mentors is 'One row for each person and organisation they serve; a mentor who comes back after leaving gets a new one.';
comment on column public.peer_mentors.user_id is 'The `sub` of the mentor''s token; null for a mentor without an account.';
comment on column public.peer_mentors.external_id is 'The id in the organisation''s own member system, by which imports find the row again.';
comment on column public.peer_mentors.predecessor_id is 'The row of the same person before they left.';
comment on column public.peer_mentors.listed is 'False keeps the mentor off the public roster by their own wish.';
comment on column public.peer_mentors.presentation is 'What the public roster says of the mentor.';
comment on column public.peer_mentors.public_contact is 'How the public reaches the mentor.';
comment on column public.peer_mentors.status is 'Changed only along active→paused, paused→active, active→inactive; every change leaves a history row.';
comment on column public.peer_mentors.pause_at is 'Since when the mentor is paused; null unless paused.';
comment on column public.peer_mentors.pause_reason is 'Code from peerpause.reason_codes(); null unless paused.';
comment on column public.peer_mentors.pause_note is 'Free text that may hold health data: for the mentor, their coordinators and admins only.';
comment on column public.peer_mentors.expected_return_on is 'The day the mentor expects to be back, in the organisation''s time zone; null unless paused.';
comment on column public.peer_mentors.reactivated_at is 'When the mentor last came back from a pause.';
comment on column public.peer_mentors.updated_at is 'Strictly increases with every update of the row: the optimistic-lock token.';

create unique index peer_mentors_in_organisation on public.peer_mentors (organisation_id, id);
create unique index peer_mentors_external_id on public.peer_mentors (organisation_id, external_id);
create index peer_mentors_by_name on public.peer_mentors (organisation_id, display_name, id);
create index peer_mentors_user on public.peer_mentors (user_id);
create index peer_mentors_returning on public.peer_mentors (organisation_id, expected_return_on) where expected_return_on is not null;
create index peer_mentors_predecessor_idx on public.peer_mentors (organisation_id, predecessor_id) where predecessor_id is not null;

alter table public.peer_mentors
  add constraint peer_mentors_predecessor foreign key (organisation_id, predecessor_id)
  references public.peer_mentors (organisation_id, id);

alter table public.peer_mentors enable row level security;
alter table public.peer_mentors force row level security;
revoke all on table public.peer_mentors from public, anon, authenticated, service_role;
