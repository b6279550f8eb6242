-- Certificates, past and present: a renewal is a new row.
create table public.certifications (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  mentor_id uuid not null,
  kind text not null default 'peer_mentor',
  issued_on date not null,
  expires_on date,
  recorded_by uuid,
  recorded_at timestamptz not null default now(),
  constraint certifications_expire_after_issue check (expires_on >= issued_on),
  constraint certifications_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id)
);

comment on table public.certifications is 'Certificates, past and present: a renewal is a new row.';
comment on column public.certifications.kind is 'Matched with organisations.required_certification_kinds.';
comment on column public.certifications.expires_on is 'The last valid day, in the organisation''s time zone; null for a certificate without an end.';
comment on column public.certifications.recorded_by is 'Null where a system recorded it.';

create index certifications_mentor_idx on public.certifications (mentor_id, kind, expires_on desc, id desc) include (issued_on);
create index certifications_expiry on public.certifications (organisation_id, expires_on, id);
create index certifications_organisation on public.certifications (organisation_id, mentor_id);

alter table public.certifications enable row level security;
alter table public.certifications force row level security;
revoke all on table public.certifications from public, anon, authenticated, service_role;
