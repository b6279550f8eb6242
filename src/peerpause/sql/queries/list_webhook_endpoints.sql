-- The webhook endpoints of an organisation. Parameter: organisation_id.
select
  e.endpoint_id, e.url, e.active, e.created_at, e.disabled_at, e.disabled_because,
  e.last_sent_at, e.last_failed_at, e.last_error, e.waiting
from public.list_webhook_endpoints(%(organisation_id)s) as e
