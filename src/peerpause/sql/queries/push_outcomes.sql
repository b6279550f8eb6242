-- How the pushes of one change went, as far as they have been tried. Parameter: history_id.
select d.recipient_id, d.outcome, d.attempts, d.error_code
from public.notification_deliveries as d
where d.history_id = %(history_id)s and d.channel = 'push' and d.outcome is not null
order by d.recipient_id
