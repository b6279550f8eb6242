-- Whose organisation the mentor belongs to, if the caller may change the mentor; otherwise a refusal.
-- PT404: no such mentor. 42501: not the caller's to change, or nobody is signed in. Takes no lock, so a stranger cannot hold one.
create function peerpause.authorise(p_mentor_id uuid)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id uuid;
  v_organisation_id uuid;
  v_service constant boolean := peerpause.caller_is_service();
begin
  if not v_service and (select auth.uid()) is null then
    raise exception 'sign in first' using errcode = '42501', hint = 'Send the access token of a signed-in person.';
  end if;
  select p.user_id, p.organisation_id
  into v_user_id, v_organisation_id
  from public.peer_mentors as p
  where p.id = p_mentor_id;
  if not found then
    raise exception 'no such mentor' using errcode = 'PT404', hint = 'Check the mentor id.';
  end if;
  if not v_service and not peerpause.may_manage_mentor(p_mentor_id, v_user_id, v_organisation_id) then
    raise exception 'this mentor is not yours to change'
      using errcode = '42501', hint = 'Only the mentor, a coordinator of the mentor''s chapters or an admin may do this.';
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
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if peerpause.caller_is_service() then
    return null;
  end if;
  return (select auth.uid());
end
$$;
