-- A migration has been rolled back; in the transaction that did it.
delete from supabase_migrations.schema_migrations
where schema_migrations.version = %(version)s
