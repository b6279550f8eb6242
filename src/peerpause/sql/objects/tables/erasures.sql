-- Who was erased, by pseudonym: the list that is applied again after an old backup was restored (`peerpause person reapply-erasures`).
create table peerpause.erasures (
  pseudonym uuid primary key,
  organisation_id uuid references public.organisations (id),
  mentor_ids uuid[] not null,
  person_digest bytea,
  erased_at timestamptz not null default clock_timestamp(),
  requested_by uuid,
  counts jsonb not null,
  constraint erasures_find_somebody check (mentor_ids <> '{}' or person_digest is not null)
);

comment on table peerpause.erasures is 'One row for each person erased; holds nothing that says who they were.';
comment on column peerpause.erasures.organisation_id is 'Where the person was erased; null means everywhere.';
comment on column peerpause.erasures.person_digest is 'SHA-256 of the erased user id, a random one: finds the person again in a restored backup, and tells nothing else.';
comment on column peerpause.erasures.requested_by is 'The admin who did it; null means the operator.';
comment on column peerpause.erasures.counts is 'How many rows of each table were touched.';

create index erasures_organisation on peerpause.erasures (organisation_id);
create index erasures_person on peerpause.erasures (person_digest);

alter table peerpause.erasures enable row level security;
alter table peerpause.erasures force row level security;
revoke all on table peerpause.erasures from public, anon, authenticated, service_role;
