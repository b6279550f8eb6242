-- The caller's devices, the one seen last first, each under the digest of its token, so that no page need hold the token itself.
select
  encode(sha256(convert_to(d.token, 'UTF8')), 'hex') as device_id,
  d.platform,
  d.registered_at,
  d.last_seen_at,
  d.retired_at is not null as is_retired
from public.device_tokens as d
where d.user_id = (select auth.uid())
order by d.last_seen_at desc, d.token
limit 100
