-- Stops sending to an endpoint. Parameter: endpoint_id.
select public.disable_webhook_endpoint(%(endpoint_id)s) as was_active
