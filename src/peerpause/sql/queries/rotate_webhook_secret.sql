-- Gives an endpoint a new secret and shows it, once. Parameter: endpoint_id.
select public.rotate_webhook_secret(%(endpoint_id)s) as secret
