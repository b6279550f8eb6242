-- read_applied_migrations
-- The versions of the migrations that are in the database, by its ledger.
select applied.version
from peerpause.applied_migrations() as applied (version)
