-- Who read a mentor's notes or history: one row for each reader, mentor, kind of reading and hour. What mentors read of themselves is
-- not kept.
create table peerpause.mentor_reads (
  organisation_id uuid not null,
  mentor_id uuid not null,
  hour timestamptz not null,
  reader_id uuid not null,
  what text not null,
  read_at timestamptz not null default clock_timestamp(),
  primary key (mentor_id, hour, reader_id, what),
  constraint mentor_reads_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint mentor_reads_kind_is_known check (what in ('history', 'note', 'export')),
  constraint mentor_reads_hour_is_whole check (hour = date_trunc('hour', hour, 'UTC'))
);

comment on table peerpause.mentor_reads is 'Who read a mentor''s notes or history, once an hour at most. Mentors and admins ask for it by list_mentor_reads.';
comment on column peerpause.mentor_reads.reader_id is 'The signed-in person; the nil uuid for the operator at the command line.';
comment on column peerpause.mentor_reads.what is 'history; note: the note of a pause; export: everything that is kept of the person.';
comment on column peerpause.mentor_reads.read_at is 'The first time in that hour.';

create index mentor_reads_age on peerpause.mentor_reads (organisation_id, hour);

alter table peerpause.mentor_reads enable row level security;
alter table peerpause.mentor_reads force row level security;
revoke all on table peerpause.mentor_reads from public, anon, authenticated, service_role;
