-- How the caller wants to be told from now on, all facts at once.
-- Parameters: push_enabled, email_preferred, language, time_zone, quiet_from, quiet_until.
select kept.push_enabled, kept.email_preferred, kept.language, kept.time_zone, kept.quiet_from, kept.quiet_until
from public.set_notification_preferences(
  p_push_enabled => %(push_enabled)s::boolean,
  p_email_preferred => %(email_preferred)s::boolean,
  p_language => %(language)s::text,
  p_time_zone => %(time_zone)s::text,
  p_quiet_from => %(quiet_from)s::time,
  p_quiet_until => %(quiet_until)s::time
) as kept
