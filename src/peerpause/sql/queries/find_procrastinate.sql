-- Whether Procrastinate's tables are there, asked so that a role without rights on them gets an answer too. Whoever asks holds the lock
-- until their transaction ends, so that one makes them.
select exists(
  select
  from pg_catalog.pg_class as c
  inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'procrastinate' and c.relname = 'procrastinate_jobs'
)
from pg_advisory_xact_lock(hashtextextended('peerpause.procrastinate', 0))
