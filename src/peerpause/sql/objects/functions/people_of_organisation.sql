-- Everybody with a part in an organisation who has an account, once each. For functions that have looked at their caller.
create function peerpause.people_of(p_organisation_id uuid)
returns table (user_id uuid, is_mentor boolean, is_coordinator boolean, is_admin boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select u.user_id, bool_or(u.part = 'mentor'), bool_or(u.part = 'coordinator'), bool_or(u.part = 'admin')
  from (
    select p.user_id, 'mentor' as part
    from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.user_id is not null
    union all
    select r.user_id, case when r.active then 'coordinator' end
    from public.coordinator_roles as r
    where r.organisation_id = p_organisation_id
    union all
    select a.user_id, 'admin'
    from public.organisation_admins as a
    where a.organisation_id = p_organisation_id and a.active
  ) as u
  group by u.user_id;
end
$$;

-- The people of an organisation by name, for its admins: those whose name or address contains p_search, at most p_limit (1 to 500)
-- behind the name and id that the last page ended with. 42501: not yours. 22023: limit out of range.
create function peerpause.list_people_of_organisation(
  p_organisation_id uuid,
  p_search text,
  p_limit integer,
  p_after_name text,
  p_after_id uuid
)
returns table (user_id uuid, display_name text, email text, is_mentor boolean, is_coordinator boolean, is_admin boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  perform peerpause.require_limit(p_limit);
  return query
  select p.user_id, p.display_name, p.email, o.is_mentor, o.is_coordinator, o.is_admin
  from peerpause.people_of(p_organisation_id) as o
  inner join public.people as p on p.user_id = o.user_id
  where
    (p_search is null or strpos(lower(p.display_name), lower(p_search)) > 0 or strpos(lower(p.email), lower(p_search)) > 0)
    and (p_after_name is null or (p.display_name, p.user_id) > (p_after_name, p_after_id))
  order by p.display_name, p.user_id
  limit p_limit;
end
$$;

-- The names behind ids that stand in an organisation's own records, for its admins: of its people and of whoever acted there.
-- Ids of anybody else have no row. 42501: not yours.
create function peerpause.names_in_organisation(p_organisation_id uuid, p_user_ids uuid[])
returns table (user_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  return query
  select p.user_id, p.display_name
  from public.people as p
  where
    p.user_id = any(p_user_ids)
    and (
      exists (select from peerpause.people_of(p_organisation_id) as o where o.user_id = p.user_id)
      or exists (
        select from public.peer_mentor_status_history as h
        where h.organisation_id = p_organisation_id and h.changed_by = p.user_id
      )
      or exists (
        select from public.organisation_changes as c
        where c.organisation_id = p_organisation_id and p.user_id in (c.changed_by, c.person_id)
      )
    );
end
$$;
