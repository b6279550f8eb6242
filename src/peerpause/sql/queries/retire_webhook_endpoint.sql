-- Takes an endpoint out of service whose website said that it is gone for good. Parameter: endpoint_id.
select peerpause.retire_webhook_endpoint(%(endpoint_id)s, 'gone') as was_active
