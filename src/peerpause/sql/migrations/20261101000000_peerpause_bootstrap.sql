-- What Supabase has and plain PostgreSQL has not: the roles of a request and the functions that read its token.
-- Whatever exists is left as it is, so on Supabase this does nothing. What it makes carries a comment that starts with `peerpause:`,
-- by which the rollback knows its own.
--
-- Roles belong to the whole cluster. Of two databases that are set up at once, the second waits in its first `create role` for the
-- first to commit and then finds the role there: hence the exception handlers.

do $bootstrap$
declare
  v_role record;
  v_member text;
begin
  for v_role in
    select wanted.name, wanted.attributes, wanted.purpose
    from (
      values
        (1, 'anon', 'nologin noinherit', 'a visitor without a token'),
        (2, 'authenticated', 'nologin noinherit', 'a signed-in person'),
        (3, 'service_role', 'nologin noinherit bypassrls', 'jobs and servers, above row-level security'),
        (4, 'authenticator', 'nologin noinherit', 'the login that becomes one of the three; give it a password and login')
    ) as wanted (place, name, attributes, purpose)
    where not exists (select from pg_catalog.pg_roles where pg_roles.rolname = wanted.name)
    order by wanted.place
  loop
    begin
      execute pg_catalog.format('create role %I %s', v_role.name, v_role.attributes);
      execute pg_catalog.format('comment on role %I is %L', v_role.name, 'peerpause: ' || v_role.purpose);
    exception
      when duplicate_object or unique_violation then
        raise debug 'role % was made by somebody else at the same moment', v_role.name;
    end;
  end loop;

  -- Only into an authenticator of ours: somebody else's gateway keeps the memberships its owner chose.
  if exists (
    select
    from pg_catalog.pg_roles
    where pg_roles.rolname = 'authenticator'
      and pg_catalog.shobj_description(pg_roles.oid, 'pg_authid') like 'peerpause:%'
  ) then
    foreach v_member in array array['anon', 'authenticated', 'service_role'] loop
      if not exists (
        select
        from pg_catalog.pg_auth_members
        where pg_auth_members.roleid = pg_catalog.to_regrole(v_member)
          and pg_auth_members.member = pg_catalog.to_regrole('authenticator')
      ) then
        begin
          execute pg_catalog.format('grant %I to authenticator', v_member);
        exception
          when unique_violation then
            raise debug 'role % was granted by somebody else at the same moment', v_member;
        end;
      end if;
    end loop;
  end if;
end
$bootstrap$;

do $bootstrap$
declare
  -- Looked up in the catalogue, which needs no right to the schema.
  v_there text[] := array(
    select pg_proc.proname
    from pg_catalog.pg_proc
    where pg_proc.pronamespace = pg_catalog.to_regnamespace('auth')
      and pg_proc.pronargs = 0
  );
begin
  if pg_catalog.to_regnamespace('auth') is null then
    create schema auth;
    comment on schema auth is 'peerpause: who is asking, read from the request''s token';
    grant usage on schema auth to anon, authenticated, service_role;
  end if;

  if 'uid' <> all (v_there) then
    -- A body of `return …` binds its names now, so no search_path can change its meaning and the planner may still inline it.
    create function auth.uid()
    returns uuid
    language sql
    stable
    security invoker
    parallel safe
    return coalesce(
      nullif(pg_catalog.current_setting('request.jwt.claim.sub', true), ''),
      nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid;
    comment on function auth.uid() is 'peerpause: the person asking, null without a token';
    grant execute on function auth.uid() to anon, authenticated, service_role;
  end if;

  if 'role' <> all (v_there) then
    create function auth.role()
    returns text
    language sql
    stable
    security invoker
    parallel safe
    return coalesce(
      nullif(pg_catalog.current_setting('request.jwt.claim.role', true), ''),
      nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
    );
    comment on function auth.role() is 'peerpause: the role the token names, null without a token';
    grant execute on function auth.role() to anon, authenticated, service_role;
  end if;

  if 'jwt' <> all (v_there) then
    create function auth.jwt()
    returns jsonb
    language sql
    stable
    security invoker
    parallel safe
    return coalesce(
      nullif(pg_catalog.current_setting('request.jwt.claim', true), ''),
      nullif(pg_catalog.current_setting('request.jwt.claims', true), '')
    )::jsonb;
    comment on function auth.jwt() is 'peerpause: all claims of the token, null without a token';
    grant execute on function auth.jwt() to anon, authenticated, service_role;
  end if;
end
$bootstrap$;
