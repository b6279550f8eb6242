-- Takes the recording of imported roles away. What was recorded stays.
drop function peerpause.record_imported_roles;
revoke execute on function peerpause.clock() from service_role;
