-- Takes back the audit trail, the inbox, the delivery log, the planned pauses and the runs, with everything in them.

drop table public.webhook_endpoints;
drop table public.notifications;
drop table public.notification_deliveries;
drop table public.certification_overrides;
drop table public.job_runs;
drop table public.idempotency_keys;
drop table public.scheduled_status_changes;
drop table public.peer_mentor_status_history;

drop function peerpause.today;
drop function peerpause.clock;
drop function peerpause.system_reason_codes;
drop function peerpause.reason_codes;
drop function peerpause.is_valid_transition;
drop function peerpause.time_ordered_uuid;

-- The mentors stay as they are and so do the truths they were held to.
