-- Renewals and overrides that the next pass of the outbox will add to the audit chain. A trigger puts them here.
create table peerpause.audit_waiting (
  organisation_id uuid not null references public.organisations (id),
  entry_id uuid not null,
  primary key (organisation_id, entry_id)
);

comment on table peerpause.audit_waiting is 'Certificate records not yet in the audit chain. One that is in neither came past the triggers.';

alter table peerpause.audit_waiting enable row level security;
alter table peerpause.audit_waiting force row level security;
revoke all on table peerpause.audit_waiting from public, anon, authenticated, service_role;
