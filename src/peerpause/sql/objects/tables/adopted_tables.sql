-- What was here before us: a rollback leaves it as it was.
create table peerpause.adopted_tables (
  table_name text not null,
  row_security boolean not null,
  force_row_security boolean not null,
  primary key (table_name)
);

comment on table peerpause.adopted_tables is 'Directory tables that stood here before PeerPause came, with the row security they had.';

alter table peerpause.adopted_tables enable row level security;
alter table peerpause.adopted_tables force row level security;
revoke all on table peerpause.adopted_tables from public, anon, authenticated, service_role;
