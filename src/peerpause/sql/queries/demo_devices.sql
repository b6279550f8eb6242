-- Gives everybody in the demo a phone: a made-up registration token each.
insert into public.device_tokens (token, user_id, platform)
select 'demo-phone-' || p.user_id, p.user_id, 'android'
from public.people as p
on conflict (token) do nothing
