-- read_inbox
-- A page of the caller's inbox, newest first, or oldest first with oldest_first; row security sees to whose it is. Parameters: limit;
-- before and before_id, the entry the last page ended with; only_unread; and, each null for any: event, mentor_id, since and until.
select n.id, n.event, n.about_self, n.payload, n.created_at, n.read_at, n.acknowledged_at
from public.notifications as n
where
  (
    %(before)s::timestamptz is null
    or case
      when %(oldest_first)s::boolean then (n.created_at, n.id) > (%(before)s::timestamptz, %(before_id)s::uuid)
      else (n.created_at, n.id) < (%(before)s::timestamptz, %(before_id)s::uuid)
    end
  )
  and (not %(only_unread)s::boolean or n.read_at is null)
  and (%(event)s::text is null or n.event = %(event)s::text)
  and (%(mentor_id)s::uuid is null or n.mentor_id = %(mentor_id)s::uuid)
  and (%(since)s::timestamptz is null or n.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or n.created_at < %(until)s::timestamptz)
order by
  case when %(oldest_first)s::boolean then n.created_at end,
  case when %(oldest_first)s::boolean then n.id end,
  n.created_at desc,
  n.id desc
limit %(limit)s
