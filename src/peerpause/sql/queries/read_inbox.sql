-- A page of the caller's inbox, newest first, from behind the entry the last page ended with; row security sees to whose it is.
-- Parameters: limit, before and before_id (null: from the newest on), only_unread.
select n.id, n.event, n.about_self, n.payload, n.created_at, n.read_at, n.acknowledged_at
from public.notifications as n
where
  (%(before)s::timestamptz is null or (n.created_at, n.id) < (%(before)s::timestamptz, %(before_id)s::uuid))
  and (not %(only_unread)s::boolean or n.read_at is null)
order by n.created_at desc, n.id desc
limit %(limit)s
