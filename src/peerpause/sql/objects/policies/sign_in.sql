-- Signing in is the service role's work: nobody is anybody yet.
revoke all on table
peerpause.sign_in_identities,
peerpause.sign_in_attempts
from public, anon, authenticated, service_role;

grant select, insert, update, delete on peerpause.sign_in_identities to service_role;
grant select, insert, delete on peerpause.sign_in_attempts to service_role;

revoke all on function peerpause.link_sign_in(text, text, text) from public, anon, authenticated, service_role;
grant execute on function peerpause.link_sign_in(text, text, text) to service_role;
