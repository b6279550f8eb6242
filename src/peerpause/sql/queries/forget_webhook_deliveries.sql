-- Drops webhook deliveries that were settled more than 30 days ago.
delete from public.webhook_deliveries as d where d.state <> 'pending' and d.settled_at < now() - interval '30 days'
