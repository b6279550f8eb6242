-- Closes a run that came to its end. Parameter: run_id.
select peerpause.finish_job_run(%(run_id)s::uuid) as report
