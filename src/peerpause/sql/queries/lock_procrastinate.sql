-- Whoever makes Procrastinate's tables holds this until their transaction ends, so that one makes them and the others wait.
select pg_advisory_xact_lock(hashtextextended('peerpause.procrastinate', 0))
