-- Ends all sessions of a person. Parameter: user_id.
update peerpause.web_sessions as s
set revoked_at = now()
where s.user_id = %(user_id)s and s.revoked_at is null
returning s.id as session_id
