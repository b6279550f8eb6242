-- How long this transaction waits for another's lock, and how long one statement may take.
select
  pg_catalog.set_config('lock_timeout', %(lock_timeout)s, true) as lock_timeout,
  pg_catalog.set_config('statement_timeout', %(statement_timeout)s, true) as statement_timeout
