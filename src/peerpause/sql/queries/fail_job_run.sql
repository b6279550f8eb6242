-- Closes a run that could not go on. Parameters: run_id, error_code.
select peerpause.fail_job_run(%(run_id)s, %(error_code)s) as report
