-- The language the signed-in person is written to in, everything else of their preferences left as it is. Nobody in the directory: no row.
-- Parameters: language.
select kept.language
from public.people as p
cross join lateral public.set_notification_preferences(
  p_push_enabled => p.push_enabled,
  p_email_preferred => p.email_preferred,
  p_language => %(language)s,
  p_time_zone => p.time_zone,
  p_quiet_from => p.quiet_from,
  p_quiet_until => p.quiet_until
) as kept
where p.user_id = (select auth.uid())
