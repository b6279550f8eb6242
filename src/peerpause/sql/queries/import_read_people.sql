-- What is known of some accounts' owners.
select
  p.user_id,
  p.display_name,
  p.first_name,
  p.email,
  p.language
from public.people as p
where p.user_id = any(%(user_ids)s::uuid[])
