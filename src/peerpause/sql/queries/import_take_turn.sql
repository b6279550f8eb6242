-- One import at a time: waits for another to end, and holds until this transaction does.
select pg_advisory_xact_lock(hashtextextended('peerpause.import', 0))
