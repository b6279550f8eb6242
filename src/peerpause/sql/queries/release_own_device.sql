-- One of the caller's devices no longer gets their pushes. No row: it is not theirs, or no longer. Parameter: device_id.
select public.release_device_token(d.token) as released
from public.device_tokens as d
where d.user_id = (select auth.uid()) and encode(sha256(convert_to(d.token, 'UTF8')), 'hex') = %(device_id)s
