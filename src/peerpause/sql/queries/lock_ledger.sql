-- One migrator at a time, until the end of the transaction. Not a lock of the session: behind a transaction pooler that would be
-- taken on one connection and given back on another.
select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('peerpause.migrate', 0))
