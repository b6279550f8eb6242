-- What webhooks have been told so far: the digest of each listed mentor in each chapter of a watched organisation.
create table peerpause.roster_published (
  organisation_id uuid not null references peerpause.roster_watches (organisation_id),
  chapter_id uuid not null,
  mentor_id uuid not null,
  digest bytea not null,
  primary key (organisation_id, chapter_id, mentor_id)
);

comment on table peerpause.roster_published is
  'Compared with the roster itself to find changes, whatever caused them. No foreign keys: a chapter that was deleted is a change too.';
comment on column peerpause.roster_published.digest is 'SHA-256 of what visitors see, so that nothing personal is kept twice.';

alter table peerpause.roster_published enable row level security;
alter table peerpause.roster_published force row level security;
