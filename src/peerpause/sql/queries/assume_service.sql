-- The same for the system, whose statements are about many rows at once: each is planned for the tables as they are now. A plan that was
-- kept from when they were empty would take many times as long, and PostgreSQL keeps one after a few repetitions.
select
  pg_catalog.set_config('role', %(role)s, true) as caller_role,
  pg_catalog.set_config('request.jwt.claims', %(claims)s, true) as claims,
  pg_catalog.set_config('lock_timeout', %(lock_timeout)s, true) as lock_timeout,
  pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true) as plan_cache_mode
