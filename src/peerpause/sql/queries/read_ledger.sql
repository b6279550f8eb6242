-- What has been applied, by us or by anybody else who keeps this ledger; oldest first.
select
  schema_migrations.version,
  schema_migrations.name,
  schema_migrations.statements
from supabase_migrations.schema_migrations
order by schema_migrations.version
