-- Whether the caller is the service role, or a superuser at a prompt, and not a signed-in person.
-- Reads the role the session has taken (`set role`), which, unlike a claim or a setting, cannot be put on by hand.
create function peerpause.caller_is_service()
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select exists (
      select from pg_catalog.pg_roles as r
      where
        r.rolname = coalesce(nullif(current_setting('role'), 'none'), session_user)
        and (r.rolbypassrls or r.rolsuper)
    )
  );
end
$$;
