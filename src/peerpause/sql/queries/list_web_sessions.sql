-- The sessions of a person that count now, the last used first. Parameter: user_id.
select s.id as session_id, s.user_id, s.csrf, s.issuer, s.created_at, s.last_seen_at, s.expires_at
from peerpause.web_sessions as s
where s.user_id = %(user_id)s and s.revoked_at is null and s.expires_at > now()
order by s.last_seen_at desc, s.id
