-- From here to the end of the transaction the database sees the caller: their role, their token's claims, and how long they wait for
-- a lock. Nothing of it outlives the transaction, so the connection may serve anybody next, also behind a transaction pooler.
select
  pg_catalog.set_config('role', %(role)s, true) as caller_role,
  pg_catalog.set_config('request.jwt.claims', %(claims)s, true) as claims,
  pg_catalog.set_config('lock_timeout', %(lock_timeout)s, true) as lock_timeout
