-- The ledger as the Supabase CLI makes it. Does nothing, and needs no right to, where it stands already.
do $ledger$
begin
  if (
    select pg_catalog.count(*)
    from pg_catalog.pg_attribute
    where pg_attribute.attrelid = pg_catalog.to_regclass('supabase_migrations.schema_migrations')
      and pg_attribute.attname in ('version', 'statements', 'name')
      and not pg_attribute.attisdropped
  ) = 3 then
    return;
  end if;
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
  alter table supabase_migrations.schema_migrations add column if not exists statements text[];
  alter table supabase_migrations.schema_migrations add column if not exists name text;
end
$ledger$
