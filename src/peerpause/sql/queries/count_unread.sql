-- How many entries of the caller's inbox nobody has read; row security sees to whose it is.
select count(*) as unread
from public.notifications as n
where n.read_at is null
