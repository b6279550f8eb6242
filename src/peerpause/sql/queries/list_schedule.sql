-- Our jobs in pg_cron, with how the last run of each ended.
select
  j.jobname as name, j.schedule, j.command, j.active, r.status as last_status,
  to_char(r.start_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_run_at
from cron.job as j
left join lateral (
  select d.status, d.start_time
  from cron.job_run_details as d
  where d.jobid = j.jobid and d.start_time is not null
  order by d.runid desc
  limit 1
) as r on true
where starts_with(j.jobname, 'peerpause-') and j.database = current_database()
order by j.jobname
