-- Signs a person in to the web pages; no row where we know nobody of that id. Parameters: digest, user_id, issuer, csrf, idle
-- (an interval).
insert into peerpause.web_sessions (digest, user_id, issuer, csrf, expires_at)
select %(digest)s, %(user_id)s::uuid, %(issuer)s::text, %(csrf)s, now() + %(idle)s::interval
where peerpause.is_in_directory(%(user_id)s::uuid)
returning id as session_id, user_id, csrf, issuer, created_at, last_seen_at, expires_at
