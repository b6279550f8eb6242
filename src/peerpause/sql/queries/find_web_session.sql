-- The session of a cookie, as long as it counts: not ended, not expired, and we still know the person. Used, it lasts on; that is
-- written down at most once a minute. Parameters: digest, idle and longest (intervals).
with valid as (
  select s.*
  from peerpause.web_sessions as s
  where
    s.digest = %(digest)s
    and s.revoked_at is null
    and s.expires_at > now()
    and peerpause.is_in_directory(s.user_id)
),

seen as (
  update peerpause.web_sessions as s
  set
    last_seen_at = now(),
    expires_at = least(now() + %(idle)s::interval, s.created_at + %(longest)s::interval)
  from valid
  where s.id = valid.id and s.revoked_at is null and valid.last_seen_at < now() - interval '1 minute'
  returning s.*
)

select s.id as session_id, s.user_id, s.csrf, s.issuer, s.created_at, s.last_seen_at, s.expires_at
from seen as s
union all
select s.id, s.user_id, s.csrf, s.issuer, s.created_at, s.last_seen_at, s.expires_at
from valid as s
where s.last_seen_at >= now() - interval '1 minute'
