-- Who must hear of these mentors: the active coordinators of all their chapters, each once; where a mentor's chapters have none,
-- the active admins of the organisation (is_fallback). A mentor for whom there is nobody has no row. One query for any number.
create function peerpause.coordinators_of(p_mentor_ids uuid[])
returns table (mentor_id uuid, user_id uuid, is_fallback boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with found as (
    select distinct m.mentor_id, r.user_id
    from public.chapter_memberships as m
    inner join public.coordinator_roles as r on r.chapter_id = m.chapter_id and r.active
    where m.mentor_id = any(p_mentor_ids)
  )
  select f.mentor_id, f.user_id, false
  from found as f
  union all
  select p.id, a.user_id, true
  from public.peer_mentors as p
  inner join public.organisation_admins as a on a.organisation_id = p.organisation_id and a.active
  where p.id = any(p_mentor_ids) and not exists (select from found as f where f.mentor_id = p.id);
end
$$;
