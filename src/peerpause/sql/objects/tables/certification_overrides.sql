-- An admin lets a mentor be active although a required certificate has expired: until a day, with a justification.
create table public.certification_overrides (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  justification text not null,
  valid_until date not null,
  granted_by uuid,
  granted_at timestamptz not null default now(),
  primary key (organisation_id, id),
  constraint overrides_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint overrides_are_justified check (char_length(btrim(justification)) between 10 and 2000)
);

comment on table public.certification_overrides is 'Append-only: who let whom be active without a valid certificate, why, and until when.';
comment on column public.certification_overrides.valid_until is 'The last day it holds, in the organisation''s time zone. The night''s run honours it.';

create index overrides_mentor_idx on public.certification_overrides (mentor_id, valid_until desc);
create index overrides_organisation on public.certification_overrides (organisation_id, mentor_id);

alter table public.certification_overrides enable row level security;
alter table public.certification_overrides force row level security;
revoke all on table public.certification_overrides from public, anon, authenticated, service_role;
