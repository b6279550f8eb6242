-- Ends one session, of this person where one is named. Parameters: session_id, user_id (null: whoever's it is).
update peerpause.web_sessions as s
set revoked_at = now()
where s.id = %(session_id)s and s.revoked_at is null and s.user_id = coalesce(%(user_id)s::uuid, s.user_id)
returning s.id as session_id
