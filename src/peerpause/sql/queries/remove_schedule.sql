-- Takes our jobs out of pg_cron.
select j.jobname as name, cron.unschedule(j.jobname) as done
from cron.job as j
where starts_with(j.jobname, 'peerpause-') and j.database = current_database()
