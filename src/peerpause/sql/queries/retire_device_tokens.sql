-- Retires devices that will never answer again, all of a batch at once. One that registered anew meanwhile is kept.
-- Parameters: tokens, reasons (parallel arrays), since (when the batch was taken).
update public.device_tokens as d
set retired_at = clock_timestamp(), retired_because = g.reason
from unnest(%(tokens)s::text[], %(reasons)s::text[]) as g (token, reason)
where d.token = g.token and d.retired_at is null and d.last_seen_at <= %(since)s
