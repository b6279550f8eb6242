-- One step of a run of retention. Parameters: run_id, at_most (of each kind).
select peerpause.retain_batch(%(run_id)s::uuid, %(at_most)s::integer) as counts
