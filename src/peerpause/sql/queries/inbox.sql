-- The caller's inbox, newest first. Parameters: limit, before (null: from the newest on).
select n.id, n.event, n.about_self, n.payload, n.created_at, n.read_at, n.acknowledged_at
from public.notifications as n
where n.created_at < coalesce(%(before)s::timestamptz, 'infinity')
order by n.created_at desc
limit %(limit)s
