-- Begins the pauses whose time has come. Parameter: limit.
select a.o_applied as applied, a.o_skipped as skipped from peerpause.apply_scheduled_changes(%(limit)s) as a
