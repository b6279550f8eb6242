-- Adds a webhook endpoint and shows its secret, once. Parameters: organisation_id, url.
select c.endpoint_id, c.url, c.secret from public.create_webhook_endpoint(%(organisation_id)s, %(url)s) as c
