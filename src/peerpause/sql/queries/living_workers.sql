-- How many workers gave a sign of life in the last two minutes. Only where Procrastinate's tables are there.
select count(*) as workers
from procrastinate.procrastinate_workers as w
where w.last_heartbeat > statement_timestamp() - interval '2 minutes'
