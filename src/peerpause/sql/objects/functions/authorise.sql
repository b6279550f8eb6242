-- Whose organisation the mentor belongs to, if the caller may change the mentor: the mentor themselves, a coordinator of one of
-- the mentor's chapters, an admin of the organisation, or the service role. Otherwise a refusal.
-- PT404: no such mentor. 42501: not the caller's to change, or nobody is signed in. Takes no lock, so a stranger cannot hold one.
-- Looks into one index after the other and no further than it must, because it is part of every change.
create function peerpause.authorise(p_mentor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_caller constant uuid := auth.uid();
  v_organisation_id uuid;
  v_user_id uuid;
begin
  select p.organisation_id, p.user_id into v_organisation_id, v_user_id from public.peer_mentors as p where p.id = p_mentor_id;
  if v_user_id = v_caller then
    return v_organisation_id;
  end if;
  if exists (
    select from public.chapter_memberships as m
    inner join public.coordinator_roles as r on r.chapter_id = m.chapter_id
    where m.mentor_id = p_mentor_id and r.user_id = v_caller and r.active
  ) then
    return v_organisation_id;
  end if;
  if
    v_organisation_id is not null
    and (
      exists (
        select from public.organisation_admins as a
        where a.organisation_id = v_organisation_id and a.user_id = v_caller and a.active
      )
      or exists (select from peerpause.global_admins as g where g.user_id = v_caller)
    )
  then
    return v_organisation_id;
  end if;
  if not peerpause.caller_is_service() then
    if v_caller is null then
      raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a signed-in person.';
    end if;
    if v_organisation_id is not null then
      raise exception 'this mentor is not yours to change'
        using errcode = '42501', hint = 'Only the mentor, a coordinator of the mentor''s chapters or an admin may do this.';
    end if;
  end if;
  if v_organisation_id is null then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id.';
  end if;
  return v_organisation_id;
end
$$;

-- What keeps the mentor from being active today (see blocking_lapse), for those who may change the mentor and nobody else.
-- PT404, 42501: as peerpause.authorise.
create function peerpause.blocking_lapse_for_caller(p_mentor_id uuid)
returns date
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.blocking_lapse(p_mentor_id, peerpause.authorise(p_mentor_id));
end
$$;

-- The one who acts: the signed-in person and nobody else. The service role acts for whom it names, or as the system (null).
create function peerpause.acting_person(p_actor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_actor_id = (select auth.uid()) or peerpause.caller_is_service() then
    return p_actor_id;
  end if;
  raise exception 'p_actor_id is not the caller'
    using errcode = '42501', hint = 'Pass the id of the signed-in person.';
end
$$;

-- The person a function without p_actor_id acts for: who is signed in, or the system for the service role.
create function peerpause.caller()
returns uuid
language sql
stable
return case when not peerpause.caller_is_service() then auth.uid() end;
