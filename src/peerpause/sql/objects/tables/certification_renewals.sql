-- One row for every renewal a person or the organisation's own system recorded. Append-only; the certificate itself is a row of
-- certifications.
create table public.certification_renewals (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  mentor_id uuid not null,
  certification_id uuid not null,
  kind text not null,
  issued_on date not null,
  expires_on date,
  previous_expires_on date,
  ended_pause boolean not null,
  note text,
  recorded_by uuid,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (organisation_id, id),
  constraint renewals_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint renewals_note_is_short check (char_length(note) <= 2000)
);

comment on table public.certification_renewals is 'Append-only: who recorded which renewal, when, and whether it brought the mentor back.';
comment on column public.certification_renewals.previous_expires_on is 'Last valid day of the latest certificate of the kind before; null where there was none, or it had no end.';
comment on column public.certification_renewals.ended_pause is 'Whether the mentor became active again by it.';
comment on column public.certification_renewals.recorded_by is 'Null where a system recorded it.';

create index renewals_mentor_idx on public.certification_renewals (mentor_id, recorded_at desc);
create index renewals_organisation on public.certification_renewals (organisation_id, mentor_id);

alter table public.certification_renewals enable row level security;
alter table public.certification_renewals force row level security;
revoke all on table public.certification_renewals from public, anon, authenticated, service_role;
