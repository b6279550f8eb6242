-- No client comes near them: the web pages ask as the service role, and for a person only about that person's own.
revoke all on table peerpause.web_sessions from public, anon, authenticated, service_role;
grant select, insert, update, delete on peerpause.web_sessions to service_role;

revoke all on function peerpause.is_in_directory(uuid) from public, anon, authenticated, service_role;
grant execute on function peerpause.is_in_directory(uuid) to service_role;
