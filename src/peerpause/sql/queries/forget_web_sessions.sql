-- Drops sessions that ended more than a day ago.
delete from peerpause.web_sessions as s
where s.expires_at < now() - interval '24 hours' or s.revoked_at < now() - interval '24 hours'
