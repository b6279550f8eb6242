-- The caller has read an entry of their inbox, or with acknowledge has also seen to it. The first time counts; no row: not theirs.
-- Parameters: id, acknowledge.
update public.notifications as n
set
  read_at = coalesce(n.read_at, now()),
  acknowledged_at = case when %(acknowledge)s::boolean then coalesce(n.acknowledged_at, now()) else n.acknowledged_at end
where n.id = %(id)s::uuid
returning n.id, n.event, n.about_self, n.payload, n.created_at, n.read_at, n.acknowledged_at
