-- Who was allowed what on those tables.
create table peerpause.adopted_grants (
  table_name text not null references peerpause.adopted_tables (table_name),
  column_name text not null,
  grantee text not null,
  privilege text not null,
  primary key (table_name, column_name, grantee, privilege)
);

comment on table peerpause.adopted_grants is 'Who was allowed what on those tables. Rollbacks take back only what is not in here.';
comment on column peerpause.adopted_grants.column_name is 'Empty for a grant on the whole table.';
comment on column peerpause.adopted_grants.grantee is 'A role, or public for everyone.';

alter table peerpause.adopted_grants enable row level security;
alter table peerpause.adopted_grants force row level security;
revoke all on table peerpause.adopted_grants from public, anon, authenticated, service_role;
