-- Whether this database has a ledger at all.
select pg_catalog.to_regclass('supabase_migrations.schema_migrations') is not null as found
