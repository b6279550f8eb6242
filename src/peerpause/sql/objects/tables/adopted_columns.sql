-- The columns that those tables had.
create table peerpause.adopted_columns (
  table_name text not null references peerpause.adopted_tables (table_name),
  column_name text not null,
  primary key (table_name, column_name)
);

comment on table peerpause.adopted_columns is 'The columns those tables had. Rollbacks leave them alone.';

alter table peerpause.adopted_columns enable row level security;
alter table peerpause.adopted_columns force row level security;
revoke all on table peerpause.adopted_columns from public, anon, authenticated, service_role;
