-- The device in the caller's hand gets their pushes from now on. Parameters: token, platform, kind.
select public.register_device_token(%(token)s::text, %(platform)s::text, %(kind)s::text)
