-- No client comes near them: the web pages ask as the service role, and for a person only about that person's own.
grant select, insert, update, delete on table peerpause.bulk_changes to service_role;
