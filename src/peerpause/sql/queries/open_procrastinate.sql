-- The worker works as service_role, and nobody else has any business here.
grant usage on schema procrastinate to service_role;
grant all on all tables in schema procrastinate to service_role;
grant all on all sequences in schema procrastinate to service_role;
grant execute on all functions in schema procrastinate to service_role;
revoke execute on all functions in schema procrastinate from public
