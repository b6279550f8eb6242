-- Opens a run of retention; null where another is at it. Parameter: organisation_id (null: what belongs to no one organisation).
select peerpause.begin_retention_run(%(organisation_id)s::uuid) as run_id
