-- Takes back what the bootstrap made and nothing else: only what carries its comment, and of that only what nobody has come to need
-- since. On Supabase this does nothing.

do $bootstrap$
declare
  v_function regprocedure;
begin
  for v_function in
    select pg_proc.oid::regprocedure
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = pg_catalog.to_regnamespace('auth')
      and pg_catalog.obj_description(pg_proc.oid, 'pg_proc') like 'peerpause:%'
    order by pg_proc.proname
  loop
    begin
      execute pg_catalog.format('drop function %s', v_function);
    exception
      when dependent_objects_still_exist then
        raise notice 'function % is kept: something that is not ours uses it', v_function;
    end;
  end loop;

  if pg_catalog.obj_description(pg_catalog.to_regnamespace('auth'), 'pg_namespace') like 'peerpause:%' then
    begin
      drop schema auth;
    exception
      when dependent_objects_still_exist then
        raise notice 'schema auth is kept: it holds objects that are not ours';
    end;
  end if;
end
$bootstrap$;

do $bootstrap$
declare
  v_role text;
begin
  for v_role in
    select pg_roles.rolname
    from pg_catalog.pg_roles
    where pg_roles.rolname in ('anon', 'authenticated', 'service_role')
      and pg_catalog.shobj_description(pg_roles.oid, 'pg_authid') like 'peerpause:%'
    order by pg_roles.rolname
  loop
    begin
      execute pg_catalog.format('drop role %I', v_role);
    exception
      when dependent_objects_still_exist or object_in_use then
        raise notice 'role % is kept: another database or object needs it', v_role;
    end;
  end loop;

  -- Nothing in a database points at the login, so PostgreSQL would let it go while another database still lives by it.
  if pg_catalog.shobj_description(pg_catalog.to_regrole('authenticator'), 'pg_authid') like 'peerpause:%'
    and not exists (
      select
      from pg_catalog.pg_roles
      where pg_roles.rolname in ('anon', 'authenticated', 'service_role')
    )
  then
    drop role authenticator;
  end if;
end
$bootstrap$;
