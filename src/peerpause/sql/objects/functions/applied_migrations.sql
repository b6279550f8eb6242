-- The versions of the migrations that the ledger holds; no row where there is no ledger. For the service role only, so that a
-- running program can tell whether the database is as new as itself.
create function peerpause.applied_migrations()
returns setof text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass('supabase_migrations.schema_migrations') is null then
    return;
  end if;
  return query execute 'select m.version::text from supabase_migrations.schema_migrations as m';
end
$$;
