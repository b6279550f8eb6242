-- When a worker was last alive; null where there has been none. One is alive that moved its heartbeat within half a minute.
select
  max(w.last_heartbeat) as last_heartbeat_at,
  coalesce(max(w.last_heartbeat) > now() - interval '30 seconds', false) as is_alive
from procrastinate.procrastinate_workers as w
