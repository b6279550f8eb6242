-- The person behind an id, which may be a user id or the id of a mentor: their user id (null for a mentor without an account) and
-- their rows as a mentor, in one organisation or, with null, in all.
create function peerpause.find_person(p_id uuid, p_organisation_id uuid, out o_user_id uuid, out o_mentor_ids uuid[])
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  select p.user_id into o_user_id from public.peer_mentors as p where p.id = p_id;
  if not found then
    o_user_id := p_id;
  end if;
  o_mentor_ids := array(
    select p.id
    from public.peer_mentors as p
    where (p.id = p_id or p.user_id = o_user_id) and (p_organisation_id is null or p.organisation_id = p_organisation_id)
    order by p.id
  );
end
$$;

-- Whether a user has a part in an organisation, or with null anywhere: as a mentor, a coordinator or an admin.
create function peerpause.has_a_part(p_user_id uuid, p_organisation_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return
    exists (
      select from public.peer_mentors as p
      where p.user_id = p_user_id and (p_organisation_id is null or p.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.coordinator_roles as r
      where r.user_id = p_user_id and (p_organisation_id is null or r.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.organisation_admins as a
      where a.user_id = p_user_id and (p_organisation_id is null or a.organisation_id = p_organisation_id)
    )
    or (p_organisation_id is null and exists (select from peerpause.global_admins as g where g.user_id = p_user_id));
end
$$;

-- Whether a user left anything in what an organisation, or with null any, has recorded.
create function peerpause.has_recorded(p_user_id uuid, p_organisation_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return
    exists (
      select from public.peer_mentor_status_history as h
      where h.changed_by = p_user_id and (p_organisation_id is null or h.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.certification_renewals as r
      where r.recorded_by = p_user_id and (p_organisation_id is null or r.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.certification_overrides as o
      where o.granted_by = p_user_id and (p_organisation_id is null or o.organisation_id = p_organisation_id)
    );
end
$$;

-- Refuses (42501) whoever may not handle all the data of a person: that is for the service role, and for an admin within their own
-- organisation. PT404: the person is not known there.
create function peerpause.authorise_person(p_user_id uuid, p_mentor_ids uuid[], p_organisation_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_organisation_id is null then
    if not peerpause.caller_is_service() then
      raise exception 'everywhere is for the operator alone'
        using errcode = '42501', hint = 'Pass p_organisation_id, one that you administer.';
    end if;
  else
    perform peerpause.authorise_organisation(p_organisation_id);
  end if;
  if
    cardinality(p_mentor_ids) = 0
    and not peerpause.has_a_part(p_user_id, p_organisation_id)
    and not peerpause.has_recorded(p_user_id, p_organisation_id)
    and not (p_organisation_id is null and exists (select from public.people as p where p.user_id = p_user_id))
    and not (p_organisation_id is null and exists (select from public.device_tokens as d where d.user_id = p_user_id))
  then
    raise exception 'no such person' using errcode = 'PT404', hint = 'Pass the id of a user or of a mentor.';
  end if;
end
$$;
