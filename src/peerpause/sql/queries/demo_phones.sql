-- Whose phone each of the demo's made-up tokens is.
select d.token, p.display_name
from public.device_tokens as d
inner join public.people as p on p.user_id = d.user_id
