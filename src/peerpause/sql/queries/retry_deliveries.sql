-- Lets deliveries start over that ended without success; what was sent, or what its recipient does not want, stays as it is.
-- Parameter: ids (null: all that failed or were given up). Answers the ids of those that will be tried.
update public.notification_deliveries as d
set
  state = 'pending',
  outcome = null,
  error_code = null,
  settled_at = null,
  first_tried_at = null,
  attempts = 0,
  not_before = clock_timestamp()
where
  (
    %(ids)s::uuid[] is null and d.state in ('failed', 'expired')
    or d.id = any(%(ids)s::uuid[]) and d.state in ('failed', 'expired', 'skipped')
  )
  and d.outcome is distinct from 'opted_out'
returning d.id
