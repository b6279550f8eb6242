-- How the caller wants to be told. Nobody in the directory: no row.
select p.push_enabled, p.email_preferred, p.language, p.time_zone, p.quiet_from, p.quiet_until, p.email
from public.people as p
where p.user_id = (select auth.uid())
