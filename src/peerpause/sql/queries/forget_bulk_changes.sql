-- Drops changes of many that are older than a day.
delete from peerpause.bulk_changes as b where b.requested_at < now() - interval '24 hours'
