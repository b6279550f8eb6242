-- Whether row security does not bind a role.
create function peerpause.is_above_row_security(p_role text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from pg_catalog.pg_roles as r where r.rolname = p_role and (r.rolbypassrls or r.rolsuper));
end
$$;

-- Whether the caller is the service role, or a superuser at a prompt, and not a signed-in person.
-- Reads the role the session has taken (`set role`), which, unlike a claim or a setting, cannot be put on by hand. The two roles that
-- people come in as need no look into the catalogue.
create function peerpause.caller_is_service()
returns boolean
language sql
stable
return case
  when current_setting('role') in ('authenticated', 'anon') then false
  else peerpause.is_above_row_security(coalesce(nullif(current_setting('role'), 'none'), session_user))
end;
