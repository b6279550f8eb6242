-- Chapters the signed-in person coordinates today. Roles come from tables, not from the token: who is removed is refused at once.
create function peerpause.my_chapters()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(r.chapter_id), '{}')
    from public.coordinator_roles as r
    where r.user_id = (select auth.uid()) and r.active
  );
end
$$;

-- Organisations the signed-in person administers: their own, or all for a global admin.
create function peerpause.my_organisations()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(o.organisation_id), '{}')
    from (
      select a.organisation_id
      from public.organisation_admins as a
      where a.user_id = (select auth.uid()) and a.active
      union
      select g.id
      from public.organisations as g
      where exists (select from peerpause.global_admins as ga where ga.user_id = (select auth.uid()))
    ) as o
  );
end
$$;

-- The signed-in person's own mentor rows: one in each organisation they serve.
create function peerpause.my_mentors()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(array_agg(p.id), '{}')
    from public.peer_mentors as p
    where p.user_id = (select auth.uid())
  );
end
$$;
