-- The device no longer gets the caller's pushes. Parameter: token.
select public.release_device_token(%(token)s::text) as released
