-- The next batch of a run of the certificate check. Parameters: run_id, size.
select peerpause.expire_batch(%(run_id)s, %(size)s) as report
