-- The caller has read all entries of their inbox up to a moment, or with acknowledge has also seen to them; what came later stays as it
-- is. Answers how many that changed. Parameters: until, acknowledge.
with marked as (
  update public.notifications as n
  set
    read_at = coalesce(n.read_at, now()),
    acknowledged_at = case when %(acknowledge)s::boolean then coalesce(n.acknowledged_at, now()) else n.acknowledged_at end
  where
    n.recipient_id = (select auth.uid())
    and n.created_at <= %(until)s::timestamptz
    and (n.read_at is null or (%(acknowledge)s::boolean and n.acknowledged_at is null))
  returning n.id
)

select count(*) as marked
from marked
