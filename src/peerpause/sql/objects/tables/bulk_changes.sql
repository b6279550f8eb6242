-- What somebody asked to be done with many mentors at once, and how it went with each, so that the page that shows it can be
-- opened again.
create table peerpause.bulk_changes (
  requested_by uuid not null,
  id uuid not null,
  action text not null,
  mentor_ids uuid[] not null,
  requested_at timestamptz not null default now(),
  finished_at timestamptz,
  outcomes text[],
  primary key (requested_by, id),
  constraint bulk_change_action_is_known check (action in ('pause', 'reactivate', 'deactivate')),
  constraint bulk_change_names_some_mentors check (cardinality(mentor_ids) between 1 and 500),
  constraint bulk_change_is_finished_with_outcomes check ((finished_at is null) = (outcomes is null)),
  constraint bulk_change_has_an_outcome_each check (cardinality(outcomes) = cardinality(mentor_ids))
);

comment on table peerpause.bulk_changes is 'Changes of many mentors at once: who was named, and how it went with each; for the service role alone; kept for a day.';
comment on column peerpause.bulk_changes.id is 'Made with the form, so that a form sent twice changes once.';
comment on column peerpause.bulk_changes.outcomes is 'For each of mentor_ids in order: done, or the code of the refusal.';

create index bulk_changes_age on peerpause.bulk_changes (requested_at);

alter table peerpause.bulk_changes enable row level security;
alter table peerpause.bulk_changes force row level security;
revoke all on table peerpause.bulk_changes from public, anon, authenticated, service_role;
